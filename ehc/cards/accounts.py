"""What happens to an account once it is there: found, looked at, changed, merged, joined to a family.

Every change is one step of life.py and one event with who did it and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ehc.cards.account import AccountStore, Change, Event, EventKind
from ehc.cards.deriving import Deriver
from ehc.cards.details import normalise_details, phone_forms
from ehc.cards.identity import normalise, normalise_id_number, normalise_id_type, normalise_name
from ehc.cards.life import change, reason_of
from ehc.errors import Conflict, InputError, NotFound
from ehc.model import AccountState, Card, CardKind, Identity, PersonKind

RELATIONS = {
    "1": "配偶",
    "2": "子",
    "3": "女",
    "4": "孙子、孙女或外孙子、外孙女",
    "5": "父母",
    "6": "祖父母或外祖父母",
    "7": "兄、弟、姐、妹",
    "8": "其他",
}
"""GB/T 4761, the member's relation to the account; 0 本人 is no member."""

UNKNOWN = "no card is known by this"
_CARD_ID = re.compile(r"[0-9A-Fa-f]{1,128}")
_MINDEX = re.compile(r"[0-9A-Fa-f]{64}")


class Act(NamedTuple):
    """A change by somebody, for a reason. now: seconds since 1970; by: a caller, or operator:<name>."""

    now: int
    by: str
    reason: str


class Accounts:
    """Accounts that are there. All raise Unavailable; those that change one raise NotFound, and Conflict when the
    account's state does not allow it."""

    def __init__(self, store: AccountStore, derive: Deriver) -> None:
        self._store, self._derive = store, derive

    # --- finding

    def card(self, card_id: str) -> Card:
        """A former or legacy card id finds the present card. Raises NotFound, also for what is no card id."""
        return _found(self._store.card(card_id.upper()) if _CARD_ID.fullmatch(card_id) else None)

    def card_of_account(self, account: int) -> Card:
        """Raises NotFound."""
        return _found(self._store.card_of_account(account))

    def card_of_mindex(self, mindex: str) -> Card:
        """64 hex digits; a former one finds the present card. Raises InputError, NotFound."""
        if not _MINDEX.fullmatch(mindex):
            raise InputError("mindex: 64 hex digits wanted")
        return _found(self._store.card_of_mindex(bytes.fromhex(mindex)))

    def card_of_document(self, id_type: str, id_number: str) -> Card:
        """As written on the document; a former one finds the present card. Raises IdentityError, NotFound."""
        kind = normalise_id_type(id_type)
        return _found(self._store.card_of_document(kind, normalise_id_number(kind, id_number)))

    def cards_of_phone(self, phone: str, limit: int = 20) -> Sequence[Card]:
        """Of everybody who gave this number, in the usual ways to write one. Raises InputError."""
        return self._store.cards_of_phone(phone_forms(phone), limit)

    def merged_into(self, card: Card) -> Card | None:
        return None if card.merged_into is None else self.card_of_account(card.merged_into)

    def details(self, card: Card) -> Mapping[str, str]:
        return self._store.details(card.account)

    def history(self, card: Card) -> list[Event]:
        """Oldest first."""
        return list(self._store.history(card.account))

    # --- states

    def suspend(self, card: Card, act: Act) -> Card:
        return self._apply(card, EventKind.SUSPENDED, act)

    def resume(self, card: Card, act: Act) -> Card:
        return self._apply(card, EventKind.RESUMED, act)

    def cancel(self, card: Card, act: Act) -> Card:
        return self._apply(card, EventKind.CANCELLED, act)

    def restore(self, card: Card, act: Act) -> Card:
        if card.merged_into is not None:
            raise Conflict("the card was merged into another one: unmerge it")
        return self._apply(card, EventKind.RESTORED, act)

    def revoke_codes(self, card: Card, act: Act) -> Card:
        """Every dynamic code issued until now, this second's too. A static code is the card's own: suspend that."""
        return self._apply(card, EventKind.CODES_REVOKED, act, codes_from=act.now + 1)

    def _apply(self, card: Card, event: EventKind, act: Act, **what: object) -> Card:
        step: Change = replace(change(event, act.by, reason_of(act.reason)), **what)  # type: ignore[arg-type]
        return self._store.apply(card.account, step, act.now)

    # --- what is known of the person

    def modify(self, card: Card, details: Mapping[str, str], now: int, by: str) -> Card:
        """Only the named ones; an empty one is deleted. Raises InputError that names the field."""
        wanted = normalise_details(details)
        if not wanted:
            raise InputError("details: name at least one")
        step = change(EventKind.MODIFIED, by, ", ".join(sorted(wanted)))
        return self._store.apply(card.account, replace(step, details=wanted), now)

    def rename(self, card: Card, name: str, act: Act) -> Card:
        """The same document under another name (姓名变更). The card id changes; the old one finds the card."""
        identity = replace(card.identity, name=normalise_name(name))
        if identity == card.identity:
            return card
        return self._apply(card, EventKind.RENAMED, act, derived=self._derive(identity))

    def exchange(self, card: Card, identity: Identity, act: Act) -> Card:
        """Another document: of a child its own, of a person another kind. A temporary card becomes a formal one.

        identity: as typed. Raises IdentityError; Conflict when somebody has the document: then merge.
        """
        new = normalise(identity.id_type, identity.id_number, identity.name)
        if (new.id_type, new.id_number) == (card.identity.id_type, card.identity.id_number):
            raise Conflict("it is the document that the card has; another name of it: rename")
        ends = {"kind": CardKind.FORMAL, "deadline": 0, "guardian": 0}
        return self._apply(card, EventKind.EXCHANGED, act, derived=self._derive(new), **ends)

    # --- merging

    def merge(self, card: Card, into: Card, act: Act) -> Card:
        """A temporary card, or a child's, whose holder turned out to have a formal one (合并). It is cancelled."""
        if card.account == into.account:
            raise Conflict("both are the same card")
        if card.kind is not CardKind.TEMPORARY and card.person is not PersonKind.CHILD:
            raise Conflict("only a temporary card and a child's are merged; this one is formal")
        if into.kind is not CardKind.FORMAL or into.person is not PersonKind.ORDINARY:
            raise Conflict("a card is merged into a formal one with a document")
        if into.state is not AccountState.NORMAL:
            raise Conflict(f"the card to merge into is {into.state.name.lower()}")
        return self._apply(card, EventKind.MERGED, act, merged_into=into.account)

    def unmerge(self, card: Card, act: Act) -> Card:
        """The card as it was before it was merged."""
        if card.merged_into is None:
            raise Conflict("the card is not merged into another one")
        merger = [event for event in self._store.history(card.account) if event.kind is EventKind.MERGED][-1]
        return self._apply(card, EventKind.UNMERGED, act, merged_into=0, state=merger.state_before)

    # --- families

    def children(self, card: Card) -> Iterable[Card]:
        """Of a guardian, those without a document of their own."""
        return self._store.children(card.account)

    def family(self, card: Card) -> list[tuple[Card, str]]:
        """Members for whom this account may show codes, with their relations (keys of RELATIONS)."""
        found = [(self.card_of_account(member), relation) for member, relation in self._store.family(card.account)]
        return [(one, relation) for one, relation in found if one.state is not AccountState.CANCELLED]

    def set_family(self, card: Card, member: Card, relation: str | None, now: int, by: str) -> None:
        """relation None: no member any more. Raises InputError, Conflict."""
        if relation is not None and relation not in RELATIONS:
            raise InputError(f"relation: {', '.join(RELATIONS)} (GB/T 4761)")
        if card.account == member.account:
            raise Conflict("nobody is a member of their own family")
        if relation is not None and AccountState.CANCELLED in (card.state, member.state):
            raise Conflict("a cancelled card has no family")
        self._store.set_family(card.account, member.account, relation, now, by)


def _found(card: Card | None) -> Card:
    if card is None:
        raise NotFound(UNKNOWN)
    return card
