"""institutions.place.PlaceStore, over every implementation."""

from dataclasses import replace

import pytest

from ehc.errors import Conflict, NotFound
from ehc.institutions.place import Change, Channel, Department, Institution, PlaceStore, Sighting, Terminal
from ehc.wiring.stores import Stores

NOW = 1_767_225_600
HOSPITAL = Institution("H-1", "测试医院", "510104", "A100", NOW)
CLINIC = Institution("H-2", "测试门诊部", "510722", "D", NOW)
WARD = Department("H-1", "d1", "内科", NOW)
DESK = Terminal("H-1", "t1", Channel.WINDOW, "d1", NOW)


@pytest.fixture
def store(stores: Stores) -> PlaceStore:
    for place in (HOSPITAL, CLINIC, WARD, DESK):
        stores.places.add(place, "authority")
    return stores.places


def test_what_was_added_is_found(store: PlaceStore) -> None:
    assert store.find(Institution, "H-1") == HOSPITAL
    assert store.find(Department, "H-1", "d1") == WARD
    assert store.find(Terminal, "H-1", "t1") == DESK
    assert store.find(Institution, "H-3") is store.find(Terminal, "H-2", "t1") is None


def test_a_code_is_given_once_in_its_institution(store: PlaceStore) -> None:
    for place in (HOSPITAL, WARD, DESK):
        with pytest.raises(Conflict, match=place.code):
            store.add(place, "")
    store.add(replace(WARD, institution="H-2"), "")
    assert len(store.history("H-2")) == 2  # a refused one leaves no trace


def test_a_part_needs_its_institution(store: PlaceStore) -> None:
    for place in (WARD, DESK):
        with pytest.raises(NotFound):
            store.add(replace(place, institution="H-3"), "")


def test_changes_are_kept_with_who_made_them(store: PlaceStore) -> None:
    changed = store.change(Institution, ["H-1"], Change({"name": "新医院", "region": "510104"}), NOW + 1, "a")
    assert changed == store.find(Institution, "H-1") == replace(HOSPITAL, name="新医院")
    moved = store.change(Terminal, ["H-1", "t1"], Change({"department": None, "channel": "02"}), NOW + 2, "b")
    assert moved == store.find(Terminal, "H-1", "t1") == replace(DESK, department=None, channel=Channel.MACHINE)
    assert [tuple(event) for event in store.history("H-1")][-2:] == [
        (NOW + 1, "institution", "H-1", "modified", "a"),
        (NOW + 2, "terminal", "t1", "modified", "b"),
    ]
    with pytest.raises(NotFound):
        store.change(Department, ["H-1", "d2"], Change({"name": "x"}), NOW, "")


def test_disabling_twice_keeps_the_first_time_and_enabling_clears_it(store: PlaceStore) -> None:
    for at in (5, 6):
        assert store.change(Department, ["H-1", "d1"], Change(enabled=False), at, "").disabled_at == 5
    assert store.change(Department, ["H-1", "d1"], Change(enabled=True), 7, "") == WARD
    store.change(Department, ["H-1", "d1"], Change(enabled=True), 8, "")
    found = [(event.at, event.what) for event in store.history("H-1") if event.part == "department"]
    assert found == [(NOW, "registered"), (5, "disabled"), (7, "enabled")]


def test_institutions_are_listed_by_region_and_page(store: PlaceStore) -> None:
    store.add(replace(CLINIC, code="H-9", region="110101"), "")

    def codes(*page: object) -> list[str]:
        return [one.code for one in store.institutions(*page)]  # type: ignore[arg-type]

    assert codes("", "", 9) == ["H-1", "H-2", "H-9"]
    assert codes("51", "", 9) == ["H-1", "H-2"]
    assert codes("5107", "", 9) == codes("510722", "", 9) == codes("", "H-1", 1) == ["H-2"]
    assert codes("", "H-9", 9) == codes("12", "", 9) == []


def test_parts_are_listed_by_page(store: PlaceStore) -> None:
    store.add(replace(DESK, code="t2", department=None), "")
    assert [one.code for one in store.within(Terminal, "H-1", "", 9)] == ["t1", "t2"]
    assert [one.code for one in store.within(Terminal, "H-1", "t1", 9)] == ["t2"]
    assert store.within(Department, "H-1", "", 1) == [WARD]
    assert store.within(Department, "H-2", "", 9) == []


def test_a_sighting_changes_a_registered_terminal_and_never_goes_back(store: PlaceStore) -> None:
    def seen(at: int, drift: int | None) -> Terminal | None:
        store.seen([Sighting("H-1", "nobody", at, 9), Sighting("H-1", "t1", at, drift)])
        return store.find(Terminal, "H-1", "t1")

    assert seen(NOW, -30) == replace(DESK, last_seen=NOW, clock_drift=-30)
    assert seen(NOW + 60, None) == replace(DESK, last_seen=NOW + 60, clock_drift=-30)
    assert seen(NOW + 30, 7) == replace(DESK, last_seen=NOW + 60, clock_drift=-30)
    assert seen(NOW + 60, 2**40) == replace(DESK, last_seen=NOW + 60, clock_drift=2**40)
    store.seen([])


def test_what_is_disabled_is_listed_and_every_switch_is_another_number(store: PlaceStore) -> None:
    assert list(store.disabled()) == []
    numbers = [store.changes()]
    for kind, key in ((Terminal, ("H-1", "t1")), (Institution, ("H-2",)), (Department, ("H-1", "d1"))):
        store.change(kind, key, Change(enabled=False), NOW + 1, "")
        numbers.append(store.changes())
    assert sorted(store.disabled()) == [("H-1", "t1"), ("H-2", "")]
    store.change(Institution, ("H-2",), Change({"name": "改名"}, enabled=True), NOW + 2, "")
    numbers.append(store.changes())
    assert list(store.disabled()) == [("H-1", "t1")]
    assert len(set(numbers)) == len(numbers)
