"""What may stand in the register."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ehc.config import Settings
from ehc.errors import InputError, NotFound
from ehc.institutions.place import Change, Channel, Department, Institution, Terminal
from ehc.institutions.register import Register
from ehc.institutions.sightings import FURTHEST, MOST, Sightings
from ehc.institutions.statistics import HOUR, LONGEST, Count, Dimension, Question, Statistics, dimensions
from ehc.wiring.stores import open_store

NOW = 1_767_225_600
HOSPITAL = Institution("H-1", "测试医院", "510104", "A100", NOW)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    stores = open_store(Settings(home=str(tmp_path)))
    made = Register(stores.places)
    made.add(HOSPITAL, "a")
    made.add(Department("H-1", "d1", "内科", NOW), "a")
    yield made
    stores.close()


def test_a_name_is_kept_in_one_form(register: Register) -> None:
    added = register.add(Institution("H-2", "  cafe\u0301 ", "110000", "A", NOW), "a")
    assert added.name == "caf\u00e9"
    assert register.find(Institution, "H-2") == added


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("code", {"code": ""}),
    ("code", {"code": "医院"}),
    ("code", {"code": "a\n"}),
    ("code", {"code": "x" * 65}),
    ("name", {"name": "  "}),
    ("name", {"name": "测" * 129}),
    ("name", {"name": "a\0b"}),
    ("name", {"name": "a\u202eb"}),
    ("region", {"region": "990000"}),
    ("region", {"region": "5101"}),
    ("region", {"region": "51０１04"}),
    ("kind", {"kind": "医院"}),
    ("kind", {"kind": "A1000"}),
]


@pytest.mark.parametrize(("field", "values"), WRONG)
def test_what_may_not_stand_in_it_is_refused_by_name(register: Register, field: str, values: dict[str, Any]) -> None:
    new = {"code": "H-2", "name": "测试", "region": "510104", "kind": "A", "registered_at": NOW} | values
    with pytest.raises(InputError, match=f"^{field}:"):
        register.add(Institution(**new), "a")
    if field != "code":
        with pytest.raises(InputError, match=f"^{field}:"):
            register.change(Institution, ["H-1"], Change(values), NOW, "a")
    assert register.institutions("", "", 9) == [HOSPITAL]


@pytest.mark.parametrize("fields", [{"name": None}, {"code": "H-2"}, {"registered_at": "1"}, {"channel": "01"}])
def test_what_may_not_be_changed_is_refused(register: Register, fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(fields))):
        register.change(Institution, ["H-1"], Change(fields), NOW, "a")


def test_a_terminal_stands_in_a_department_of_its_institution(register: Register) -> None:
    register.add(Institution("H-2", "测试", "110000", "A", NOW), "a")
    for department in ("d2", "a\0b", ""):
        with pytest.raises(InputError, match="department"):
            register.add(Terminal("H-1", "t1", Channel.WINDOW, department, NOW), "a")
    with pytest.raises(InputError, match="department"):
        register.add(Terminal("H-2", "t1", Channel.WINDOW, "d1", NOW), "a")
    desk = register.add(Terminal("H-1", "t1", Channel.WINDOW, "d1", NOW), "a")
    with pytest.raises(InputError, match="department"):
        register.change(Terminal, ["H-1", "t1"], Change({"department": "d2"}), NOW, "a")
    with pytest.raises(InputError, match="channel"):
        register.change(Terminal, ["H-1", "t1"], Change({"channel": "03"}), NOW, "a")
    assert register.within(Terminal, "H-1", "", 9) == [desk]


def test_what_is_not_there_is_not_found(register: Register) -> None:
    for code in ("H-3", "", "a\0b", "h-1"):
        with pytest.raises(NotFound):
            register.find(Institution, code)
        with pytest.raises(NotFound):
            register.add(Department(code, "d1", "内科", NOW), "a")
        with pytest.raises(NotFound):
            register.within(Department, code, "", 9)
        with pytest.raises(NotFound):
            register.change(Department, ["H-1", code], Change(enabled=False), NOW, "a")


def test_pages_begin_after_a_code(register: Register) -> None:
    for after in ("a\0b", "医"):
        with pytest.raises(InputError, match="after"):
            register.institutions("", after, 9)
    with pytest.raises(InputError, match="region"):
        register.institutions("5x", "", 9)


# --- sightings


def test_a_terminal_is_one_entry_with_the_last_drift_that_it_said() -> None:
    sightings = Sightings()
    sightings.see("H-1", "t2", 5, 10**30)
    sightings.see("H-1", "t1", 6, -4)
    sightings.see("H-1", "t1", 7, None)
    assert sightings.take() == [("H-1", "t1", 7, -4), ("H-1", "t2", 5, FURTHEST)]
    assert sightings.take() == []


def test_invented_terminals_fill_no_memory() -> None:
    sightings = Sightings()
    for number in range(MOST + 10):
        sightings.see("H-1", str(number), 5, None)
    sightings.see("H-1", "0", 9, None)
    seen = {one.terminal: one.at for one in sightings.take()}
    assert len(seen) == MOST
    assert seen["0"] == 9


# --- statistics


def count(question: Question, rows: int = 1) -> int:
    return len(Statistics(lambda _, limit: [Count((), 1)] * min(rows, limit)).count(question))


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [(1, HOUR, "whole hours"), (0, HOUR + 1, "whole hours"), (HOUR, HOUR, "after"), (0, LONGEST + HOUR, "366")],
)
def test_a_question_names_whole_hours_of_at_most_a_year(since: int, until: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        count(Question(since, until))
    assert count(Question(0, LONGEST)) == 1


def test_an_answer_that_is_too_long_is_refused_and_not_cut() -> None:
    assert count(Question(0, HOUR), 10_000) == 10_000
    with pytest.raises(InputError, match="10000"):
        count(Question(0, HOUR), 10_001)


def test_dimensions_are_named_once() -> None:
    assert dimensions("") == ()
    assert dimensions("scene,province") == (Dimension.SCENE, Dimension.PROVINCE)
    for text in ("scene,scene", "person", "scene,", " scene"):
        with pytest.raises(InputError, match="by: "):
            dimensions(text)
