"""Registering one person: with a document, without one, a child of somebody."""

from datetime import date

import pytest
from cards.rooms import NOW, PASSPORT, SAMPLE, Room, act, make_room

from ehc.cards.account import Outcome
from ehc.cards.deriving import Deriver
from ehc.cards.registration import DAY, Registrar, temporaries
from ehc.config import Settings
from ehc.errors import Conflict, IdentityError, InputError, KeyUnavailable
from ehc.machine.software import SoftwareMachine
from ehc.model import AccountState, Card, CardKind, Identity, PersonKind
from ehc.wiring.stores import Stores

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
MINDEX = bytes.fromhex("ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E")
BORN = date(2025, 12, 24)


def test_the_sample_person_gets_the_published_card(stores: Stores) -> None:
    found = make_room(stores, version=7).registrar.register(SAMPLE, NOW, "desk", {"phone": "10000000000", "sex": ""})
    card = found.card
    assert found.outcome is Outcome.CREATED
    assert card is not None
    assert (card.mindex, card.card_id, card.key_version) == (MINDEX, CARD, 7)
    assert (card.state, card.registered_at, card.identity) == (AccountState.NORMAL, NOW, SAMPLE)
    assert stores.accounts.details(card.account) == {"phone": "10000000000"}
    assert [event.by for event in stores.accounts.history(card.account)] == ["desk"]


def test_spellings_of_one_person_lead_to_one_card(room: Room) -> None:
    first = room.card()
    found = room.registrar.register(Identity(" 01", "11010020171225006x ", "电子健康卡\u3000"), NOW + 1)
    assert (found.outcome, found.card) == (Outcome.EXISTING, first)


def test_a_card_keeps_its_id_when_the_security_key_changes(room: Room, stores: Stores) -> None:
    first = room.card()
    later = make_room(stores, version=2, root=bytes(16)).registrar.register(SAMPLE, NOW + 1)
    assert (later.outcome, later.card) == (Outcome.EXISTING, first)


def test_padding_is_the_deployment_s(stores: Stores) -> None:
    card = make_room(stores, padding="minimal").card(PASSPORT)
    assert card.card_id == "837C825FE117BE7F9031F42030F7AD7F"
    assert stores.accounts.card(card.card_id) == card


def test_a_cancelled_card_is_restored(room: Room) -> None:
    card = room.accounts.cancel(room.card(), act())
    found = room.registrar.register(SAMPLE, NOW + 9, "desk")
    assert found.outcome is Outcome.RESTORED
    assert found.card == room.accounts.card_of_account(card.account)
    assert room.kinds(card) == ["registered", "cancelled", "restored"]


def test_a_document_under_another_name_is_a_conflict_that_says_what_to_do(room: Room) -> None:
    card = room.card()
    with pytest.raises(Conflict, match="rename that card first") as refused:
        room.registrar.register(Identity("01", SAMPLE.id_number, "另名"), NOW)
    assert "另名" not in str(refused.value)
    assert room.kinds(card) == ["registered"]


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (Identity("00", "E00000000", "TEST PERSON"), "id_type"),
        (Identity("03", "E" * 31, "TEST PERSON"), "id_number"),
        (Identity("03", "E00000000", ""), "name"),
    ],
)
def test_a_refused_document_names_its_field_and_makes_no_card(room: Room, person: Identity, field: str) -> None:
    with pytest.raises(IdentityError) as refused:
        room.registrar.register(person, NOW)
    assert refused.value.field == field


def test_without_a_security_key_nobody_is_registered(stores: Stores) -> None:
    registrar = Registrar(
        stores.accounts, Deriver(SoftwareMachine(None, None)), temporaries(Settings(), stores.serials)
    )
    with pytest.raises(KeyUnavailable):
        registrar.register(PASSPORT, NOW)
    assert stores.accounts.card_of_document("03", "E00000000") is None


# --- temporary cards


def test_everybody_without_a_document_gets_a_card_of_their_own_that_ends(room: Room) -> None:
    first, second = room.temporary("无名氏"), room.temporary("无名氏")
    assert first.account != second.account
    assert (first.kind, first.deadline, first.identity.id_type) == (CardKind.TEMPORARY, NOW + 30 * DAY, "99")
    issuer, node, serial = first.identity.id_number.split("-")
    assert (issuer, node) == ("T330100", "2")
    assert second.identity.id_number == f"T330100-2-{int(serial) + 1}"
    assert first.status().usable(NOW + 30 * DAY)
    assert not first.status().usable(NOW + 30 * DAY + 1)


def test_a_temporary_card_lives_as_long_as_is_said_within_the_setting(stores: Stores) -> None:
    registrar = make_room(stores, days=7).registrar
    card = registrar.register_temporary("测试", 2, NOW, details={"sex": "9"}).card
    assert card is not None
    assert card.deadline == NOW + 2 * DAY
    assert stores.accounts.details(card.account) == {"sex": "9"}
    for days in (0, 8):
        with pytest.raises(InputError, match="days: 1 to 7"):
            registrar.register_temporary("测试", days, NOW)


def test_a_number_that_somebody_registered_as_a_document_is_not_given_out(room: Room) -> None:
    head, _, serial = room.temporary("测试").identity.id_number.rpartition("-")
    taken = room.card(Identity("99", f"{head}-{int(serial) + 1}", "测试"))
    assert room.temporary("测试").account != taken.account


# --- children


def child(room: Room, guardian: Card, name: str = "甲乙", born: date = BORN, order: int = 1) -> Card:
    found = room.registrar.register_child(guardian, name, born, order, NOW, "desk").card
    assert found is not None
    return found


def test_a_child_is_registered_under_its_guardian(room: Room) -> None:
    guardian = room.card()
    card = child(room, guardian)
    assert (card.person, card.kind, card.guardian, card.birth_order) == (
        PersonKind.CHILD,
        CardKind.FORMAL,
        guardian.account,
        1,
    )
    assert card.identity == Identity("99", "0111010020171225006X202512241", "甲乙")
    assert room.accounts.details(card) == {"birth_date": "2025-12-24"}
    assert list(room.accounts.children(guardian)) == [card]


def test_twins_have_cards_of_their_own_also_under_one_name(room: Room) -> None:
    guardian = room.card()
    first, second = child(room, guardian, order=1), child(room, guardian, order=2)
    assert first.account != second.account
    assert [one.birth_order for one in room.accounts.children(guardian)] == [1, 2]


def test_a_child_registered_twice_has_one_card_whatever_happened_to_the_guardian(room: Room) -> None:
    guardian = room.card()
    first = child(room, guardian)
    renamed = room.accounts.rename(guardian, "另名", act())
    assert child(room, renamed) == first
    exchanged = room.accounts.exchange(renamed, PASSPORT, act())
    assert child(room, exchanged) == first
    assert child(room, exchanged, born=date(2024, 1, 1)).account != first.account


def test_another_child_of_the_same_birth_order_is_a_conflict(room: Room) -> None:
    guardian = room.card()
    child(room, guardian, "甲乙")
    with pytest.raises(Conflict, match="another name"):
        child(room, guardian, "丙丁")


def test_what_no_child_can_be_is_refused(room: Room) -> None:
    guardian = room.card()
    for order in (0, 10):
        with pytest.raises(InputError, match="birth_order: 1 to 9"):
            child(room, guardian, order=order)
    with pytest.raises(InputError, match="birth_date: lies ahead"):
        child(room, guardian, born=date(2026, 1, 2))  # NOW is the first of January 2026 in China
    child(room, guardian, born=date(2026, 1, 1))
    long = room.card(Identity("03", "E" * 20, "TEST PERSON"))
    with pytest.raises(IdentityError, match="temporary card"):
        child(room, long)


def test_only_who_has_a_formal_card_of_their_own_in_use_is_a_guardian(room: Room) -> None:
    guardian = room.card()
    with pytest.raises(Conflict, match="formal card"):
        child(room, child(room, guardian))
    with pytest.raises(Conflict, match="formal card"):
        child(room, room.temporary())
    with pytest.raises(Conflict, match="suspended"):
        child(room, room.accounts.suspend(guardian, act()))


def test_a_child_s_card_is_merged_when_its_document_had_a_card_already(room: Room) -> None:
    guardian, own = room.card(), room.card(PASSPORT)
    card = child(room, guardian)
    with pytest.raises(Conflict):
        room.accounts.exchange(card, PASSPORT, act())
    merged = room.accounts.merge(card, own, act())
    found = room.registrar.register_child(guardian, "甲乙", BORN, 1, NOW)
    assert (found.outcome, found.card) == (Outcome.EXISTING, own)
    assert room.accounts.unmerge(merged, act()) == card
