"""The account's nouns (虚拟账户, 5.5) and what its rules need of a store. `model.Card` is an account as it stands now.

A document (id_type, id_number) has one account for ever. Its name, and with it mindex and card id, may change: the old
two stay as aliases that find the account. A card found through an alias is the present one.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.columns import Texts
from ehc.model import AccountState, Card, CardKind, Identity, Origin


class EventKind(enum.StrEnum):
    """What can happen to an account; the history (append-only) has one event a change."""

    REGISTERED = "registered"
    RESTORED = "restored"  # a cancelled one, by registering again or by an operator
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    MODIFIED = "modified"  # details; the event names the fields, never their values
    RENAMED = "renamed"  # same document, other name
    EXCHANGED = "exchanged"  # a child got a document of its own, a person another kind of document
    MERGED = "merged"  # a temporary card into the formal one
    UNMERGED = "unmerged"
    CODES_REVOKED = "codes_revoked"  # every code issued until now


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. state_before is None for the first."""

    account: int
    at: int
    kind: EventKind
    state_before: AccountState | None
    state_after: AccountState
    by: str  # caller or operator; empty when nobody is asked who they are
    note: str  # the stated reason; without personal data, account numbers among them: callers read it


@dataclass(frozen=True, slots=True)
class Derived:
    """An identity with what the crypto machine made of it."""

    identity: Identity
    mindex: bytes  # 32 bytes
    card_id: str  # upper-case hex
    key_version: int


@dataclass(frozen=True, slots=True)
class NewCard:
    """What a registration brings."""

    derived: Derived
    kind: CardKind = CardKind.FORMAL
    deadline: int | None = None
    guardian: int | None = None
    birth_order: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)  # of DETAILS
    origin: Origin = Origin.REGISTRATION
    restores: bool = True  # a cancelled account; where not, it stays EXISTING as it is


DETAILS = ("phone", "sex", "birth_date", "ethnicity", "address", "occupation", "contact_name", "contact_phone")
"""What may be known of a person beside the document; all optional, all text. sex: GB/T 2261.1; ethnicity: GB 3304."""


class Outcome(enum.StrEnum):
    """What registering a person came to."""

    CREATED = "created"
    EXISTING = "existing"  # the same document and name: the card that is there
    RESTORED = "restored"  # it was cancelled
    OTHER_NAME = "other_name"  # the document has a card under another name: nothing was done; rename it first


@dataclass(frozen=True, slots=True)
class Registered:
    """Row for row. card is the one that is there now, None only where none is to be shown (OTHER_NAME)."""

    outcome: Outcome
    account: int
    card: Card | None


@dataclass(frozen=True, slots=True, eq=False)
class NewCardColumns:
    """Formal cards of many people, column for column: what a bulk registration brings, without an object a row."""

    id_type: Sequence[str]  # normalised, as the two that follow
    id_number: Sequence[str]
    name: Sequence[str]
    mindex: NDArray[np.uint8]  # [n, 32]
    card_id: NDArray[np.uint8]  # [n, 32]
    card_id_lengths: NDArray[np.uint8]  # [n] 32; 16 under minimal padding
    key_version: int
    origin: Origin = Origin.REGISTRATION
    restores: bool = True  # as in NewCard

    def __len__(self) -> int:
        return len(self.id_number)

    def of_rows(self, rows: NDArray[np.intp]) -> NewCardColumns:
        """These rows alone, in their order."""
        id_type, id_number, name = (Texts.of(column).rows(rows) for column in (self.id_type, self.id_number, self.name))
        made = self.mindex[rows], self.card_id[rows], self.card_id_lengths[rows]
        return NewCardColumns(id_type, id_number, name, *made, self.key_version, self.origin, self.restores)


@dataclass(frozen=True, slots=True, eq=False)
class RegisteredColumns:
    """Row for row: the account, and what came of it where it was not CREATED. An EXISTING or RESTORED one has its card,
    which may be of an older key than the row's."""

    account: NDArray[np.int64]  # [n]
    others: Mapping[int, Registered]  # row -> outcome and card, of rows that were not CREATED


@dataclass(frozen=True, slots=True)
class Change:
    """One step of an account's life: applied whole, with its event, or not at all. None leaves as it is."""

    event: EventKind
    allowed: frozenset[AccountState]  # states in which it may happen
    by: str = ""
    note: str = ""
    state: AccountState | None = None
    derived: Derived | None = None  # another document or name; the old mindex and card id become aliases
    kind: CardKind | None = None
    deadline: int | None = None  # 0: no longer, as the next two
    guardian: int | None = None
    merged_into: int | None = None
    codes_from: int | None = None
    details: Mapping[str, str] | None = None  # only those named; "" deletes


class AccountStore(Protocol):
    """Accounts. What a method returned is committed: a crash does not undo it. All raise Unavailable."""

    def register(self, new: NewCard, now: int, by: str = "") -> Registered:
        """Idempotent: the same document gives the same account; a cancelled one is restored."""
        ...

    def register_batch(self, new: Sequence[NewCard], now: int, by: str = "") -> Sequence[Registered]:
        """As register, row for row, in one transaction; the same document twice in a batch is registered once."""
        ...

    def register_columns(self, new: NewCardColumns, now: int, by: str = "") -> RegisteredColumns:
        """As register_batch, for the many; at most 16,384 rows."""
        ...

    def apply(self, account: int, change: Change, now: int) -> Card:
        """Raises NotFound, Conflict when the account's state is not among those allowed, or the document is taken."""
        ...

    def card(self, card_id: str) -> Card | None:
        """Upper-case hex; a former or legacy card id finds the present card."""
        ...

    def card_of_account(self, account: int) -> Card | None: ...

    def cards_of_accounts(self, accounts: Sequence[int]) -> Mapping[int, Card]: ...

    def card_of_mindex(self, mindex: bytes) -> Card | None: ...

    def card_of_document(self, id_type: str, id_number: str) -> Card | None: ...

    def cards_of_phone(self, forms: Collection[str], limit: int) -> Sequence[Card]:
        """Whose telephone number is written in one of these forms, by account; at most limit."""
        ...

    def children(self, guardian: int) -> Sequence[Card]: ...

    def family(self, account: int) -> Sequence[tuple[int, str]]:
        """(account, relation as GB/T 4761) of those whom this account may show codes for."""
        ...

    def set_family(self, account: int, member: int, relation: str | None, now: int, by: str = "") -> None:
        """relation None: no longer. Raises NotFound."""
        ...

    def details(self, account: int) -> Mapping[str, str]: ...

    def history(self, account: int) -> Iterator[Event]:
        """Oldest first."""
        ...

    def add_alias(self, account: int, card_id: str, now: int) -> None:
        """A legacy card id (up to 128 hex digits) that shall find this account. Raises NotFound, Conflict."""
        ...

    def ready(self) -> None:
        """Returns when the store answers and its schema is current; raises Unavailable that says what to do."""
        ...
