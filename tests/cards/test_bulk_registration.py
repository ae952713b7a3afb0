"""Many at once: one bad row never touches another, and every row comes to what it would alone."""

import pytest
from cards.invented import people
from cards.rooms import NOW, SAMPLE, Room, act, make_room

from ehc.cards.account import Outcome
from ehc.cards.bulk_registration import columns_of
from ehc.crypto import KeyHandle
from ehc.errors import KeyUnavailable
from ehc.machine.software import SoftwareMachine
from ehc.model import AccountState, Identity
from ehc.wiring.stores import Stores

PERSON = (SAMPLE.id_type, SAMPLE.id_number, SAMPLE.name)


def test_every_row_comes_to_what_it_would_alone(room: Room) -> None:
    rows = list(people(60))
    rows[7] = (rows[7][0], rows[7][1].lower(), f" {rows[7][2]}\u3000")  # as typed, not as hashed
    found = room.bulk.register(columns_of(rows), NOW, "desk")
    assert [row.outcome for row in found] == [Outcome.CREATED] * 60
    for row, one in zip(rows, found, strict=True):
        alone = room.registrar.register(Identity(*row), NOW + 1)
        assert (alone.outcome, alone.card.card_id) == (Outcome.EXISTING, one.card_id)
        assert [event.by for event in room.accounts.history(alone.card)] == ["desk"]


def test_bad_rows_are_named_and_the_others_registered(room: Room) -> None:
    rows = [
        PERSON,
        ("01", "110100201712250061", "甲乙"),
        ("", "", ""),
        ("03", "E1", "TEST\ud800"),
        ("03", "E2", "甲乙"),
    ]
    found = room.bulk.register(columns_of(rows), NOW)
    assert [row.outcome for row in found] == [Outcome.CREATED, None, None, None, Outcome.CREATED]
    refused = [row.refused for row in found if row.refused]
    assert [(one.row, one.field) for one in refused] == [(1, "id_number"), (2, "id_type"), (3, "name")]
    assert all(row.card_id == "" for row in found if row.refused)
    assert room.accounts.card(found[4].card_id).identity == Identity("03", "E2", "甲乙")


def test_a_batch_of_bad_rows_and_an_empty_one_register_nobody(room: Room) -> None:
    assert room.bulk.register(columns_of([]), NOW) == []
    (one,) = room.bulk.register(columns_of([("01", "x", "y")]), NOW)
    assert one.outcome is None


def test_known_people_keep_their_cards(room: Room, stores: Stores) -> None:
    known, cancelled, former, changed = (room.card(Identity("03", f"E{i}", "TEST PERSON")) for i in range(4))
    room.accounts.cancel(cancelled, act())
    renamed = room.accounts.rename(former, "OTHER PERSON", act())
    exchanged = room.accounts.exchange(changed, Identity("03", "E9", "TEST PERSON"), act())
    names = ["TEST PERSON"] * 4 + ["STRANGER"]
    rows = [("03", f"E{i}", name) for i, name in zip([0, 1, 2, 3, 0], names, strict=True)]
    found = make_room(stores, version=2, root=bytes(16)).bulk.register(columns_of(rows), NOW + 5, "desk")
    assert [(one.outcome, one.card_id) for one in found] == [
        (Outcome.EXISTING, known.card_id),
        (Outcome.RESTORED, cancelled.card_id),
        (Outcome.EXISTING, renamed.card_id),
        (Outcome.EXISTING, exchanged.card_id),
        (Outcome.OTHER_NAME, ""),
    ]
    assert room.accounts.card_of_account(cancelled.account).state is AccountState.NORMAL


def test_a_person_twice_in_a_batch_has_one_card(room: Room) -> None:
    found = room.bulk.register(columns_of([PERSON, PERSON]), NOW)
    assert {row.card_id for row in found} == {room.card().card_id}
    assert sorted(row.outcome for row in found) == [Outcome.CREATED, Outcome.EXISTING]


def test_minimal_padding_gives_short_ids(stores: Stores) -> None:
    room = make_room(stores, padding="minimal")
    found = room.bulk.register(columns_of([("03", "E00000000", "TEST PERSON"), PERSON]), NOW)
    assert [len(row.card_id) for row in found] == [32, 64]
    assert room.accounts.card(found[0].card_id).identity.id_number == "E00000000"


def test_without_a_security_key_nobody_is_registered(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.bulk._derive, "keys", SoftwareMachine(None, KeyHandle(bytes(16), "protection_key")))
    with pytest.raises(KeyUnavailable):
        room.bulk.register(columns_of([PERSON]), NOW)
    assert room.store.card_of_document(*PERSON[:2]) is None
