"""Registering a person: identity -> mindex -> card id -> account (账户管理, 5.5).

The same document gives the same account, under any name it ever had; a cancelled one is restored; one that was merged
gives the card it was merged into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from ehc.cards.account import AccountStore, Derived, EventKind, NewCard, Outcome, Registered
from ehc.cards.deriving import Deriver
from ehc.cards.details import normalise_details
from ehc.cards.identity import normalise, normalise_name
from ehc.cards.invented_documents import child_document, is_of, temporary_document
from ehc.cards.life import change
from ehc.config import Settings
from ehc.errors import Conflict, InputError
from ehc.model import CST, AccountState, Card, CardKind, Identity, PersonKind
from ehc.ports import SerialBlocks

DAY = 86_400
OTHER_NAME = "this document has a card under another name: rename that card first"


@dataclass(frozen=True, slots=True)
class Temporaries:
    """How temporary cards are numbered, and how long they live."""

    serials: SerialBlocks
    issuer: int = 0  # GB/T 2260 code
    node: int = 0
    days: int = 30  # at most


def temporaries(settings: Settings, serials: SerialBlocks) -> Temporaries:
    return Temporaries(serials, settings.issuer, settings.node, settings.temporary_days)


class Registrar:
    """Gives a person the one card that is theirs. All raise IdentityError and InputError that name the field,
    KeyUnavailable, Unavailable. now: seconds since 1970; by: who registers."""

    def __init__(self, store: AccountStore, derive: Deriver, temporary: Temporaries) -> None:
        self._store, self._derive, self._temporary = store, derive, temporary

    def register(self, given: Identity, now: int, by: str = "", details: Mapping[str, str] | None = None) -> Registered:
        """given: as typed. Raises Conflict when the document has a card under another name."""
        identity = normalise(given.id_type, given.id_number, given.name)
        return self._register(NewCard(self._derive(identity), details=_known(details)), now, by)

    def register_temporary(
        self, name: str, days: int | None, now: int, by: str = "", details: Mapping[str, str] | None = None
    ) -> Registered:
        """A card for somebody without a document (临时卡), another one every time. days: None for as many as may be."""
        rules, wanted, known = self._temporary, normalise_name(name), _known(details)
        life = rules.days if days is None else days
        if not 1 <= life <= rules.days:
            raise InputError(f"days: 1 to {rules.days}")
        while True:
            identity = temporary_document(rules.issuer, rules.node, rules.serials.take(1), wanted)
            new = NewCard(self._derive(identity), CardKind.TEMPORARY, now + life * DAY, details=known)
            found = self._store.register(new, now, by)
            if found.outcome is Outcome.CREATED:  # else somebody has registered this very number as a document
                return found

    def register_child(  # noqa: PLR0917  the child's four particulars
        self,
        guardian: Card,
        name: str,
        born: date,
        birth_order: int,
        now: int,
        by: str = "",
        details: Mapping[str, str] | None = None,
    ) -> Registered:
        """A newborn or a child without a document (无证儿童). Raises Conflict, also for another child's birth order."""
        _require_guardian(guardian)
        if born > datetime.fromtimestamp(now, CST).date():
            raise InputError("birth_date: lies ahead")
        identity = child_document(guardian.identity, born, birth_order, normalise_name(name))
        known = [one.identity for one in self._store.children(guardian.account) if is_of(one, born, birth_order)]
        if known:  # under the document that the guardian had then
            identity = replace(identity, id_number=known[0].id_number)
        more = {"birth_date": born.isoformat()} | _known(details)
        new = NewCard(self._derive(identity), guardian=guardian.account, birth_order=birth_order, details=more)
        return self._register(new, now, by)

    def _register(self, new: NewCard, now: int, by: str) -> Registered:
        found = self.settle(self._store.register(new, now, by), new.derived, now, by)
        if found.outcome is Outcome.OTHER_NAME:
            raise Conflict(OTHER_NAME)
        return found

    def settle(self, found: Registered, derived: Derived, now: int, by: str) -> Registered:
        """What the store cannot know of a document that has a card: a name it once had, a card it was merged into."""
        card = found.card
        if found.outcome is Outcome.OTHER_NAME:
            former = self._store.card_of_mindex(derived.mindex)
            card = former if former is not None and former.account == found.account else None
        if card is None:
            return found
        if card.merged_into is not None:
            card = self._store.card_of_account(card.merged_into) or card
        if card.state is not AccountState.CANCELLED:
            outcome = Outcome.EXISTING if found.outcome is Outcome.OTHER_NAME else found.outcome
            return Registered(outcome, card.account, card)
        return Registered(
            Outcome.RESTORED, card.account, self._store.apply(card.account, change(EventKind.RESTORED, by), now)
        )


def _known(details: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in normalise_details(details or {}).items() if value}


def _require_guardian(card: Card) -> None:
    if card.kind is not CardKind.FORMAL or card.person is not PersonKind.ORDINARY:
        raise Conflict("a guardian has a formal card with a document of their own")
    if card.state is not AccountState.NORMAL:
        raise Conflict(f"the guardian's card is {card.state.name.lower()}")
