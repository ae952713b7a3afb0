"""Every change in every state, on a real store."""

import pytest
from cards.rooms import NOW, PASSPORT, Room, act

from ehc.cards.account import Event, EventKind
from ehc.cards.accounts import Accounts, Act
from ehc.cards.life import LIFE, reason_of
from ehc.errors import Conflict, InputError
from ehc.model import AccountState, Card, Identity

C, N, P, R, D, U, S = (
    AccountState.CANCELLED,
    AccountState.NORMAL,
    AccountState.PENDING,
    AccountState.REJECTED,
    AccountState.CERTIFIED,
    AccountState.UNREGISTERED,
    AccountState.SUSPENDED,
)
STAYS = {state: state for state in (N, P, R, D, S)}
ALLOWED = {  # written out once more: this table is the test's own
    EventKind.SUSPENDED: {N: S},
    EventKind.RESUMED: {S: N},
    EventKind.CANCELLED: {N: C, S: C, D: C},
    EventKind.RESTORED: {C: N},
    EventKind.MODIFIED: STAYS,
    EventKind.RENAMED: STAYS,
    EventKind.EXCHANGED: STAYS,
    EventKind.MERGED: {N: C, S: C},
    EventKind.UNMERGED: {C: N},
    EventKind.CODES_REVOKED: STAYS,
}
DONE = {
    EventKind.SUSPENDED: Accounts.suspend,
    EventKind.RESUMED: Accounts.resume,
    EventKind.CANCELLED: Accounts.cancel,
    EventKind.RESTORED: Accounts.restore,
    EventKind.MODIFIED: lambda accounts, card, by: accounts.modify(card, {"sex": "1"}, by.now, by.by),
    EventKind.RENAMED: lambda accounts, card, by: accounts.rename(card, "另名", by),
    EventKind.EXCHANGED: lambda accounts, card, by: accounts.exchange(card, PASSPORT, by),
    EventKind.CODES_REVOKED: Accounts.revoke_codes,
}


def test_the_table_has_every_change_that_there_is() -> None:
    assert set(LIFE) == set(EventKind) - {EventKind.REGISTERED} == set(ALLOWED)
    assert set(DONE) | {EventKind.MERGED, EventKind.UNMERGED} == set(LIFE)


@pytest.mark.parametrize("state", AccountState, ids=lambda state: state.name)
@pytest.mark.parametrize("event", DONE, ids=lambda event: event.value)
def test_a_change_happens_where_the_table_allows_it_and_nowhere_else(
    room: Room, event: EventKind, state: AccountState
) -> None:
    card = room.put(room.card(), state)
    before = room.accounts.history(card)
    after = ALLOWED[event].get(state)
    if after is None:
        with pytest.raises(Conflict, match=state.name.lower()):
            DONE[event](room.accounts, card, act())
        assert room.accounts.card_of_account(card.account) == card
        assert room.accounts.history(card) == before
        return
    changed = DONE[event](room.accounts, card, act("a reason"))
    assert changed.state is after
    assert room.accounts.card_of_account(card.account) == changed
    *earlier, last = room.accounts.history(card)
    note = "sex" if event is EventKind.MODIFIED else "a reason"
    assert earlier == before
    assert last == Event(card.account, NOW + 5, event, state, after, "desk", note)


@pytest.mark.parametrize("state", AccountState, ids=lambda state: state.name)
def test_a_temporary_card_is_merged_and_unmerged_where_the_table_allows_it(room: Room, state: AccountState) -> None:
    card, formal = room.put(room.temporary(), state), room.card()
    if state not in ALLOWED[EventKind.MERGED]:
        with pytest.raises(Conflict):
            room.accounts.merge(card, formal, act())
        assert room.accounts.card_of_account(card.account) == card
        return
    merged = room.accounts.merge(card, formal, act())
    assert (merged.state, merged.merged_into) == (C, formal.account)
    assert room.accounts.unmerge(merged, act()) == card
    assert room.kinds(card)[-2:] == ["merged", "unmerged"]


@pytest.mark.parametrize("state", set(AccountState) - {C}, ids=lambda state: state.name)
def test_what_is_not_cancelled_is_not_unmerged(room: Room, state: AccountState) -> None:
    card = room.accounts.merge(room.temporary(), room.card(), act())
    elsewhere = room.put(card, state)
    with pytest.raises(Conflict):
        room.accounts.unmerge(elsewhere, act())


@pytest.mark.parametrize("by", [Accounts.suspend, Accounts.cancel, Accounts.revoke_codes])
@pytest.mark.parametrize("reason", ["", " x ", "a\nb", "x" * 201, "see 11010020171225006X", "tel 13800000000"])
def test_no_change_without_a_reason_that_can_be_kept(room: Room, by: object, reason: str) -> None:
    card = room.card()
    with pytest.raises(InputError, match="reason") as refused:
        by(room.accounts, card, act(reason))  # type: ignore[operator]
    assert reason == "" or reason not in str(refused.value)
    assert room.kinds(card) == ["registered"]


def test_a_reason_is_kept_trimmed() -> None:
    assert reason_of(" 卡片遗失 case 4711\u3000") == "卡片遗失 case 4711"


def test_a_history_tells_who_did_what_when_and_why(room: Room) -> None:
    card: Card = room.card(Identity("03", "E00000001", "TEST PERSON"))
    room.accounts.suspend(card, Act(NOW + 1, "app-1", "lost"))
    room.accounts.resume(card, Act(NOW + 2, "app-2", "found"))
    room.accounts.cancel(card, Act(NOW + 3, "operator:li", "moved away"))
    told = [
        (e.at - NOW, e.kind.value, e.state_before, e.state_after, e.by, e.note) for e in room.accounts.history(card)
    ]
    assert told == [
        (0, "registered", None, N, "desk", ""),
        (1, "suspended", N, S, "app-1", "lost"),
        (2, "resumed", S, N, "app-2", "found"),
        (3, "cancelled", N, C, "operator:li", "moved away"),
    ]
