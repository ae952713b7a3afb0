"""Accounts that are there: found, renamed, exchanged, merged, in families."""

from dataclasses import replace
from datetime import date

import pytest
from cards.rooms import NOW, PASSPORT, SAMPLE, Room, act

from ehc.cards.account import Outcome
from ehc.cards.accounts import RELATIONS
from ehc.cards.invented import resident_id
from ehc.errors import Conflict, IdentityError, InputError, NotFound
from ehc.model import AccountState, Card, CardKind, Identity, PersonKind

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
MINDEX = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
OWN = Identity("01", resident_id(7), "甲乙")


def found_by_everything(room: Room, card: Card) -> list[Card]:
    find = room.accounts
    return [
        find.card(card.card_id.lower()),
        find.card_of_account(card.account),
        find.card_of_mindex(card.mindex.hex()),
        find.card_of_document(card.identity.id_type, card.identity.id_number),
    ]


def test_a_card_is_found_by_all_that_it_is_known_by(room: Room) -> None:
    card = room.card()
    assert (card.card_id, card.mindex.hex().upper()) == (CARD, MINDEX)
    assert found_by_everything(room, card) == [card] * 4
    assert room.accounts.card_of_document(" 01", "11010020171225006x ") == card  # as typed


def test_what_nobody_has_is_not_found_and_what_is_none_is_refused(room: Room) -> None:
    for find in (
        lambda: room.accounts.card(CARD),
        lambda: room.accounts.card("电" * 64),
        lambda: room.accounts.card("_" * 32),
        lambda: room.accounts.card("AB" * 65),
        lambda: room.accounts.card(""),
        lambda: room.accounts.card_of_account(4711),
        lambda: room.accounts.card_of_mindex(MINDEX),
        lambda: room.accounts.card_of_document("03", "E00000000"),
    ):
        with pytest.raises(NotFound, match="no card is known by this"):
            find()
    for mindex in ("xyz", "", "AB", f"{MINDEX}AB"):
        with pytest.raises(InputError, match="mindex: 64 hex digits"):
            room.accounts.card_of_mindex(mindex)
    with pytest.raises(IdentityError, match="check character"):
        room.accounts.card_of_document("01", "110100201712250061")


# --- names and documents


def test_another_name_keeps_the_account_and_both_pairs_of_ids_find_it(room: Room) -> None:
    card = room.card()
    renamed = room.accounts.rename(card, " 测试177 ", act("marriage"))
    assert renamed.account == card.account
    assert renamed.identity == replace(SAMPLE, name="测试177")
    assert renamed.card_id == "61596F7265DC954499E5EC5E42A0B17BA886DC01485B408AF56D573197DD5F2F"  # published
    assert found_by_everything(room, card) == found_by_everything(room, renamed) == [renamed] * 4


def test_the_same_name_again_changes_nothing(room: Room) -> None:
    card = room.card()
    assert room.accounts.rename(card, "电子健康卡", act()) == card
    assert room.kinds(card) == ["registered"]


def test_a_name_may_change_back(room: Room) -> None:
    card = room.card()
    back = room.accounts.rename(room.accounts.rename(card, "另名", act()), "电子健康卡", act())
    assert back == card
    assert found_by_everything(room, card) == [card] * 4


def test_who_registers_under_a_former_name_gets_the_present_card(room: Room) -> None:
    renamed = room.accounts.rename(room.card(), "另名", act())
    found = room.registrar.register(SAMPLE, NOW + 9)
    assert (found.outcome, found.card) == (Outcome.EXISTING, renamed)
    cancelled = room.accounts.cancel(renamed, act())
    restored = room.registrar.register(SAMPLE, NOW + 9)
    assert (restored.outcome, restored.card) == (Outcome.RESTORED, replace(cancelled, state=AccountState.NORMAL))


def test_a_bad_name_is_refused_and_changes_nothing(room: Room) -> None:
    card = room.card()
    with pytest.raises(IdentityError) as refused:
        room.accounts.rename(card, "甲?", act())
    assert refused.value.field == "name"
    assert room.kinds(card) == ["registered"]


def test_another_document_keeps_the_account_and_the_old_one_finds_it(room: Room) -> None:
    card = room.card()
    exchanged = room.accounts.exchange(card, replace(PASSPORT, name="电子健康卡"), act())
    assert (exchanged.account, exchanged.identity.id_type) == (card.account, "03")
    assert found_by_everything(room, card) == found_by_everything(room, exchanged) == [exchanged] * 4
    again = room.registrar.register(SAMPLE, NOW + 9)
    assert (again.outcome, again.card) == (Outcome.EXISTING, exchanged)


def test_the_document_of_another_person_is_a_conflict_and_nothing_changes(room: Room) -> None:
    card, other = room.card(), room.card(PASSPORT)
    with pytest.raises(Conflict, match="belongs to another account"):
        room.accounts.exchange(card, PASSPORT, act())
    assert found_by_everything(room, card) == [card] * 4
    assert found_by_everything(room, other) == [other] * 4


def test_the_card_s_own_document_is_no_exchange(room: Room) -> None:
    card = room.card()
    for name in ("电子健康卡", "另名"):
        with pytest.raises(Conflict, match="it is the document that the card has"):
            room.accounts.exchange(card, replace(SAMPLE, name=name), act())


def test_details_are_changed_one_by_one_and_the_history_names_only_their_fields(room: Room) -> None:
    card = room.card()
    room.accounts.modify(card, {"phone": "10000000000", "sex": "1"}, NOW + 1, "desk")
    room.accounts.modify(card, {"sex": "", "address": "某省"}, NOW + 2, "desk")
    assert room.accounts.details(card) == {"phone": "10000000000", "address": "某省"}
    assert [event.note for event in room.accounts.history(card)] == ["", "phone, sex", "address, sex"]
    with pytest.raises(InputError, match="name at least one"):
        room.accounts.modify(card, {}, NOW, "desk")


# --- temporary cards, merging


def test_a_temporary_card_becomes_formal_when_its_holder_brings_a_document(room: Room) -> None:
    card = room.temporary()
    formal = room.accounts.exchange(card, OWN, act())
    assert (formal.account, formal.kind, formal.deadline) == (card.account, CardKind.FORMAL, None)
    assert formal.status().usable(card.deadline + 1)
    assert found_by_everything(room, card) == [formal] * 4


def test_a_merged_card_is_cancelled_and_leads_to_the_other_one(room: Room) -> None:
    card, formal = room.temporary(), room.card()
    merged = room.accounts.merge(card, formal, act())
    assert (merged.state, room.accounts.merged_into(merged)) == (AccountState.CANCELLED, formal)
    assert room.accounts.card(card.card_id) == merged
    assert room.accounts.merged_into(formal) is None
    with pytest.raises(Conflict, match="unmerge"):
        room.accounts.restore(merged, act())


def test_registering_the_document_of_a_merged_card_gives_the_one_it_was_merged_into(room: Room) -> None:
    card, formal = room.temporary(), room.card()
    merged = room.accounts.merge(card, formal, act())
    found = room.registrar.register(card.identity, NOW + 9)
    assert (found.outcome, found.account, found.card) == (Outcome.EXISTING, formal.account, formal)
    room.accounts.cancel(formal, act())
    again = room.registrar.register(card.identity, NOW + 9)
    assert (again.outcome, again.card) == (Outcome.RESTORED, formal)
    assert room.accounts.card_of_account(card.account) == merged


def test_unmerging_restores_what_was_there(room: Room) -> None:
    card = room.accounts.suspend(room.temporary(), act())
    merged = room.accounts.merge(card, room.card(), act())
    assert room.accounts.unmerge(merged, act("the wrong person")) == card  # suspended still, with its deadline
    with pytest.raises(Conflict, match="not merged"):
        room.accounts.unmerge(card, act())
    again = room.accounts.merge(room.accounts.resume(card, act()), room.card(), act())
    assert room.accounts.unmerge(again, act()).state is AccountState.NORMAL  # before the last merger, not the first


def test_only_cards_without_a_document_are_merged_and_only_into_one_with(room: Room) -> None:
    formal, other = room.card(), room.card(PASSPORT)
    first, second = room.temporary(), room.temporary()
    refusals = [
        (formal, other, "this one is formal"),
        (first, second, "into a formal one"),
        (first, first, "same card"),
    ]
    for card, into, said in refusals:
        with pytest.raises(Conflict, match=said):
            room.accounts.merge(card, into, act())
    with pytest.raises(Conflict, match="the card to merge into is suspended"):
        room.accounts.merge(first, room.accounts.suspend(formal, act()), act())
    with pytest.raises(Conflict):
        room.accounts.merge(room.accounts.merge(first, other, act()), other, act())


# --- codes


def test_revoking_all_codes_takes_those_of_this_second_too(room: Room) -> None:
    card = room.accounts.revoke_codes(room.card(), act(now=NOW + 7))
    assert card.codes_from == NOW + 8
    assert room.kinds(card)[-1] == "codes_revoked"


# --- families


def test_members_come_with_their_relation_and_go(room: Room) -> None:
    card, member = room.card(), room.card(PASSPORT)
    assert room.accounts.family(card) == []
    room.accounts.set_family(card, member, "1", NOW, "desk")
    room.accounts.set_family(card, member, "5", NOW, "desk")
    assert room.accounts.family(card) == [(member, "5")]
    assert room.accounts.family(member) == []
    room.accounts.set_family(card, member, None, NOW, "desk")
    assert room.accounts.family(card) == []


def test_the_history_of_a_family_names_no_account(room: Room) -> None:
    card, member = room.card(), room.card(PASSPORT)
    room.accounts.set_family(card, member, "1", NOW, "desk")
    event = room.accounts.history(card)[-1]
    assert event.kind.value == "modified"
    assert str(member.account) not in event.note


def test_a_relation_is_one_of_the_standard_s(room: Room) -> None:
    card, member = room.card(), room.card(PASSPORT)
    for relation in ("0", "9", "妻", ""):
        with pytest.raises(InputError, match="relation: 1, 2"):
            room.accounts.set_family(card, member, relation, NOW, "desk")
    for relation in RELATIONS:
        room.accounts.set_family(card, member, relation, NOW, "desk")


def test_nobody_is_their_own_family_nor_a_cancelled_card_anybody_s(room: Room) -> None:
    card, member = room.card(), room.card(PASSPORT)
    with pytest.raises(Conflict, match="their own family"):
        room.accounts.set_family(card, card, "1", NOW, "desk")
    room.accounts.set_family(card, member, "1", NOW, "desk")
    gone = room.accounts.cancel(member, act())
    assert room.accounts.family(card) == []
    with pytest.raises(Conflict, match="cancelled card has no family"):
        room.accounts.set_family(card, gone, "1", NOW, "desk")
    room.accounts.set_family(card, gone, None, NOW, "desk")


def test_a_child_that_got_its_own_document_is_no_child_of_the_guardian_any_more(room: Room) -> None:
    guardian = room.card()
    child = room.registrar.register_child(guardian, "甲乙", date(2020, 1, 1), 1, NOW).card
    assert child is not None
    assert list(room.accounts.children(guardian)) == [child]
    exchanged = room.accounts.exchange(child, OWN, act())
    assert (exchanged.person, exchanged.guardian) == (PersonKind.ORDINARY, None)
    assert list(room.accounts.children(guardian)) == []
    again = room.registrar.register_child(guardian, "甲乙", date(2020, 1, 1), 1, NOW)
    assert (again.outcome, again.card) == (Outcome.EXISTING, exchanged)
