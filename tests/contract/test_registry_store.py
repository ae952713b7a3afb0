"""Physical cards coming in, kept, found; over every store."""

import pytest
from physical import NOW, Room, card, number, record, room

from ehc.cards.account import EventKind
from ehc.cards.accounts import Accounts, Act
from ehc.errors import Conflict, IdentityError, InputError, NotFound
from ehc.model import AccountState, Origin
from ehc.registry.card import CardState, Cursors, Ruling, digest_of
from ehc.registry.registry import Record
from ehc.wiring.stores import Stores


@pytest.fixture
def at(stores: Stores) -> Room:
    return room(stores)


def test_holders_get_electronic_cards_that_say_where_they_come_from(at: Room) -> None:
    states = ["normal", "lost", "cancelled", "being_made", "not_issued"]
    linked, rulings = at.take([record(i, state=state) for i, state in enumerate(states)])
    assert (rulings, linked.created) == ([Ruling.NEW] * 5, 2)
    for i, state in enumerate(states):
        kept = at.stores.registry.find(number(i))
        assert kept is not None
        assert (kept.card, kept.changed_at) == (card(i, CardState[state.upper()]), NOW)
        assert (kept.account is not None) is (state in ("normal", "lost"))
        assert at.kinds(i) == ["imported"]
        if kept.account is not None:
            electronic = at.stores.accounts.card_of_account(kept.account)
            assert electronic is not None
            assert (electronic.identity, electronic.origin) == (kept.card.holder, Origin.PHYSICAL_CARD)
            assert [event.by for event in at.stores.accounts.history(kept.account)] == ["test"]
            assert [one.card.number for one in at.stores.registry.of_account(kept.account)] == [number(i)]


def test_who_has_an_electronic_card_keeps_it(at: Room) -> None:
    holder, later = card(1).holder, card(2).holder
    accounts = Accounts(at.stores.accounts, at.registry.intake._derive)
    for one in (holder, later):
        at.take(
            [record(1, id_type=one.id_type, id_number=one.id_number, name=one.name, number=f"X{one.id_number[-4:]}")]
        )
    electronic = accounts.card_of_document(holder.id_type, holder.id_number)
    accounts.cancel(electronic, Act(NOW, "desk", "its holder asked"))
    linked, _ = at.take([record(1), record(2)])
    assert linked.created == 0
    assert accounts.card_of_document(holder.id_type, holder.id_number).state is AccountState.CANCELLED
    assert [event.kind for event in accounts.history(electronic)] == [EventKind.REGISTERED, EventKind.CANCELLED]
    kept = at.stores.registry.find(number(1))
    assert kept is not None
    assert kept.account == electronic.account


def test_another_name_keeps_the_card_without_an_electronic_one_until_it_is_renamed(at: Room) -> None:
    at.take([record(1)])
    again = record(1, number="B1", name="测试")
    linked, rulings = at.take([record(2), again])
    assert (rulings, linked.other_name, linked.created) == ([Ruling.NEW, Ruling.NEW], [1], 1)
    found = at.stores.registry.find("B1")
    assert found is not None
    assert found.account is None
    accounts = Accounts(at.stores.accounts, at.registry.intake._derive)
    electronic = accounts.card_of_document(again.id_type, again.id_number)
    accounts.rename(electronic, "测试", Act(NOW, "desk", "a new name"))
    assert at.take([again])[1] == [Ruling.SAME]
    assert at.take([record(1, number="B2")])[0].other_name == []  # its former name
    assert {one.card.number for one in at.stores.registry.of_account(electronic.account)} == {"B1", "B2", number(1)}


def test_the_same_again_changes_nothing_and_a_version_that_stands_takes_its_place(at: Room) -> None:
    at.take([record(i) for i in range(4)])
    before = at.stores.registry.feed(0, 10)
    assert at.take([record(i) for i in range(4)])[1] == [Ruling.SAME] * 4
    assert at.stores.registry.feed(0, 10) == before
    new = [record(0, state="lost", version=2), record(1, version=0), record(2, state="cancelled", version=0), record(9)]
    assert at.take(new)[1] == [Ruling.NEWER, Ruling.OLDER, Ruling.NEWER, Ruling.NEW]
    assert at.take([record(2, version=99)])[1] == [Ruling.OLDER]
    assert [at.kinds(i) for i in (0, 1, 2, 9)] == [["imported"] * 2, ["imported"], ["imported"] * 2, ["imported"]]
    events = at.stores.registry.history(number(0))
    assert [(e.state_before, e.state_after, e.version) for e in events] == [
        (None, CardState.NORMAL, None),
        (CardState.NORMAL, CardState.LOST, 2),
    ]


def test_a_version_that_says_the_same_takes_its_place_and_nothing_happened_to_the_card(at: Room) -> None:
    """As when next month's export comes: peers are told of the version, the history has no line more."""
    at.take([record(0), record(1)])
    before, place = at.stores.registry.find(number(0)), at.stores.registry.feed(0, 10)[-1][0]
    assert at.take([record(0, version=2)])[1] == [Ruling.NEWER]
    after = at.stores.registry.find(number(0))
    assert before is not None
    assert after is not None
    assert (after.card, after.account) == (before.card._replace(version=2), before.account)
    assert [card.number for _, card in at.stores.registry.feed(place, 10)] == [number(0)]
    (first,) = at.stores.registry.history(number(0))
    assert (first.state_after, first.version) == (CardState.NORMAL, None)
    at.take([record(0, version=3, source="330000")])
    assert at.kinds(0) == ["imported"] * 2


def test_a_bad_row_is_named_and_touches_no_other(at: Room) -> None:
    rows = [record(0), record(1, id_number="1"), record(2, state="?"), record(3, number=""), record(4)]
    linked, rulings = at.take(rows)
    assert [(one.row, one.field) for one in linked.prepared.refused] == [(1, "id_number"), (2, "state"), (3, "number")]
    assert (rulings, [one.number for one in linked.prepared.cards]) == ([Ruling.NEW] * 2, [number(0), number(4)])
    assert at.stores.registry.count() == 2


def test_a_number_twice_in_a_batch_is_kept_as_the_version_that_stands(at: Room) -> None:
    rows = [
        record(1, version=2),
        record(1, version=3, state="lost"),
        record(1, version=1),
        record(1, version=3, state="lost"),
    ]
    assert at.take(rows)[1] == [Ruling.OLDER, Ruling.SAME, Ruling.OLDER, Ruling.NEW]
    kept = at.stores.registry.find(number(1))
    assert kept is not None
    assert kept.card == card(1, CardState.LOST, 3)


def test_the_feed_has_every_card_once_at_its_latest_change(at: Room) -> None:
    at.take([record(i) for i in range(5)])
    first = at.stores.registry.feed(0, 3)
    at.take([record(0, version=2, state="lost")])
    rest = at.stores.registry.feed(first[-1][0], 10)
    assert [one.number for _, one in [*first, *rest]] == [number(i) for i in (0, 1, 2, 3, 4, 0)]
    assert [place for place, _ in rest] == sorted(place for place, _ in rest)
    assert at.stores.registry.feed(rest[-1][0], 10) == []


def test_ranges_are_in_the_order_of_their_bytes(at: Room) -> None:
    numbers = ["Z1", "A1", "1", "A", "0Z"]
    at.take([record(i, number=one) for i, one in enumerate(numbers)])
    found = at.stores.registry.within("", "", 10)
    assert [one.number for one in found] == sorted(numbers)
    assert [one.number for one in at.stores.registry.within("1", "A1", 10)] == ["A", "A1"]
    assert digest_of(found).last == "Z1"


def test_cursors_move_with_what_they_bring(at: Room) -> None:
    assert at.stores.registry.cursors("b") == Cursors()
    at.take([record(1)], peer="b", cursor="c-7")
    at.stores.registry.pushed("b", 5, NOW)
    assert at.stores.registry.cursors("b") == Cursors("c-7", 5)
    at.stores.registry.restart("b")
    assert at.stores.registry.cursors("b") == Cursors()


def test_one_card_registered_and_changed_at_the_desk(at: Room) -> None:
    new = record(1, state="being_made", version=77, source="elsewhere")
    made = at.registry.register(new, NOW, "desk")
    assert (made.created, made.kept.card.version, made.kept.card.source) == (True, 1, "440000")
    assert made.kept.account is None
    assert at.registry.register(new, NOW, "desk").created is False
    with pytest.raises(Conflict, match="other particulars"):
        at.registry.register(new._replace(chip="C2"), NOW, "desk")
    issued = at.registry.change_state(number(1), "normal", Act(NOW + 1, "desk", "handed out"))
    assert (issued.kept.card.version, issued.kept.account is not None) == (2, True)
    at.registry.change_state(number(1).lower(), "挂失", Act(NOW + 2, "desk", "lost on a bus"))
    with pytest.raises(Conflict, match="lost cannot become lost"):
        at.registry.change_state(number(1), "lost", Act(NOW, "desk", "again"))
    at.registry.change_state(number(1), "cancelled", Act(NOW + 3, "desk", "replaced"))
    with pytest.raises(Conflict, match="nothing"):
        at.registry.change_state(number(1), "normal", Act(NOW, "desk", "found"))
    kept = at.registry.card(number(1))
    assert (kept.account, kept.changed_at) == (issued.kept.account, NOW + 3)
    assert [(e.kind, e.note) for e in at.registry.history(number(1))] == [
        ("registered", ""),
        ("changed", "handed out"),
        ("changed", "lost on a bus"),
        ("changed", "replaced"),
    ]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"number": "?"}, InputError),
        ({"state": "gone"}, InputError),
        ({"id_number": "1"}, IdentityError),
        ({"name": ""}, IdentityError),
    ],
)
def test_at_the_desk_bad_input_is_refused_and_nothing_kept(at: Room, change: dict[str, str], error: type) -> None:
    bad: Record = record(1)._replace(**change)
    with pytest.raises(error, match=next(iter(change))):
        at.registry.register(bad, NOW, "desk")
    with pytest.raises(NotFound):
        at.registry.card(number(1))
    assert at.stores.registry.count() == 0
    assert at.stores.accounts.card_of_document(*card(1)[3:5]) is None
