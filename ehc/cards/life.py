"""The life of an account: which change is allowed in which state, and what state it leaves behind.

                 from                          to
    suspend      NORMAL                        SUSPENDED
    resume       SUSPENDED                     NORMAL
    cancel       NORMAL, SUSPENDED, CERTIFIED  CANCELLED
    restore      CANCELLED                     NORMAL; not a merged one, which is unmerged
    merge        NORMAL, SUSPENDED             CANCELLED
    unmerge      CANCELLED                     what it was before
    modify, rename, exchange, revoke codes     every state but CANCELLED and UNREGISTERED: it stays

Accounts that wait for review (PENDING), or failed it (REJECTED), cannot be cancelled: registering again would restore
them, past the review. UNREGISTERED is what the field calls a person without an account: nothing happens to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ehc.cards.account import Change, EventKind
from ehc.errors import InputError
from ehc.model import AccountState

_CANCELLED, _NORMAL, _SUSPENDED = AccountState.CANCELLED, AccountState.NORMAL, AccountState.SUSPENDED
_LIVING = set(AccountState) - {_CANCELLED, AccountState.UNREGISTERED}
_STAYING = {state: state for state in _LIVING}

LIFE: Mapping[EventKind, Mapping[AccountState, AccountState]] = {
    EventKind.SUSPENDED: {_NORMAL: _SUSPENDED},
    EventKind.RESUMED: {_SUSPENDED: _NORMAL},
    EventKind.CANCELLED: dict.fromkeys((_NORMAL, _SUSPENDED, AccountState.CERTIFIED), _CANCELLED),
    EventKind.RESTORED: {_CANCELLED: _NORMAL},
    EventKind.MODIFIED: _STAYING,
    EventKind.RENAMED: _STAYING,
    EventKind.EXCHANGED: _STAYING,
    EventKind.MERGED: dict.fromkeys((_NORMAL, _SUSPENDED), _CANCELLED),
    EventKind.UNMERGED: {_CANCELLED: _NORMAL},  # or SUSPENDED: Accounts.unmerge looks it up
    EventKind.CODES_REVOKED: _STAYING,
}
"""Change -> state before -> state after. REGISTERED is no change: it is how an account begins."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER = re.compile(r"[0-9]{11}")
REASON_CHARACTERS = 200


def change(event: EventKind, by: str, note: str = "") -> Change:
    """This change, in the states that allow it; `replace` adds what else it brings."""
    steps = LIFE[event]
    after = set(steps.values())
    state = None if steps is _STAYING else after.pop()
    return Change(event, frozenset(steps), by, note, state)


def reason_of(text: str) -> str:
    """Why an account is changed, as the history keeps it: 2 to 200 characters. Raises InputError.

    A run of 11 digits or more is refused: it would be somebody's document or telephone number.
    """
    reason = text.strip()
    if not 2 <= len(reason) <= REASON_CHARACTERS or _UNSEEN.search(reason):
        raise InputError(f"reason: say in 2 to {REASON_CHARACTERS} characters why")
    if _NUMBER.search(reason):
        raise InputError("reason: leave out document and telephone numbers; the history is kept for ever")
    return reason
