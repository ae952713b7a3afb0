"""What a batch of people comes to, in either database: who is new, who is known, who stands in it twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ehc.cards.account import Derived, NewCard, NewCardColumns, Outcome, Registered, RegisteredColumns
from ehc.model import AccountState, Card, Identity
from ehc.store import account_rows as rows
from ehc.store import rekeyed_rows
from ehc.store.account_keys import Keys, card_key, document_keys, prefix_keys

Rows = NDArray[np.intp]


class Done(NamedTuple):
    """What was registered; and rows whose key is, by chance, another document's: they are left for one by one."""

    registered: RegisteredColumns
    collided: Sequence[int]


class Split(NamedTuple):
    fresh: Rows  # whom nobody knows: one row of each
    again: Sequence[tuple[int, int]]  # rows with the key of an earlier row of the batch, and that row
    known: Rows  # whose key is there already


class BatchKeys(NamedTuple):
    """Row for row."""

    documents: Keys
    cards: Keys
    mindexes: Keys

    @classmethod
    def of(cls, new: NewCardColumns) -> BatchKeys:
        cards = prefix_keys(new.card_id)
        for row in np.flatnonzero((new.card_id_lengths != 32) & (new.card_id_lengths != 16)).tolist():
            cards[row] = card_key(card_id_of(new, row).hex().upper())
        return cls(document_keys(new.id_type, new.id_number), cards, prefix_keys(new.mindex))


def split(keys: Keys, found: NDArray[np.int64]) -> Split:
    """found: the account that has each key, 0 for none."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    repeated = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    first = order[np.searchsorted(ordered, ordered[repeated])]
    again = [(int(row), int(one)) for row, one in zip(order[repeated], first, strict=True) if not found[row]]
    fresh = found == 0
    fresh[[row for row, _ in again]] = False
    return Split(np.flatnonzero(fresh), again, np.flatnonzero(found))


def card_id_of(new: NewCardColumns, row: int) -> bytes:
    return new.card_id[row, : new.card_id_lengths[row]].tobytes()


def one_card(new: NewCardColumns, row: int) -> NewCard:
    identity = Identity(new.id_type[row], new.id_number[row], new.name[row])
    card_id = card_id_of(new, row).hex().upper()
    derived = Derived(identity, new.mindex[row].tobytes(), card_id, new.key_version)
    return NewCard(derived, origin=new.origin, restores=new.restores)


def note_rekeying(connection: Connection, account: NDArray[np.int64]) -> None:
    """Of accounts that were made just now."""
    for first, last in runs(account):
        rekeyed_rows.note(connection, first, last)


def runs(account: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last of numbers that follow one another without a gap."""
    if not len(account):
        return []
    ends = np.flatnonzero(np.diff(account) != 1)
    return list(zip(account[[0, *(ends + 1)]].tolist(), account[[*ends, -1]].tolist(), strict=True))


def conclude(
    connection: Connection,
    new: NewCardColumns,
    parts: Split,
    account: NDArray[np.int64],
    restore: Callable[[Card], Card],
) -> Done:
    """Outcomes of the rows that are not new. account: of the fresh rows and the known ones; others are filled in."""
    others: dict[int, Registered] = {}
    collided: list[int] = []
    for row, first in parts.again:
        account[row] = account[first]
    known = [*parts.known.tolist(), *(row for row, _ in parts.again)]
    cards = rows.fetch_many(connection, sorted({int(account[row]) for row in known}))
    for row in known:
        card = cards[int(account[row])]
        if not _same_document(connection, card, new, row):
            collided.append(row)
            continue
        others[row] = _outcome(card, new.name[row], restore if new.restores else None)
        cards[card.account] = others[row].card or card
    return Done(RegisteredColumns(account, others), collided)


def _same_document(connection: Connection, card: Card, new: NewCardColumns, row: int) -> bool:
    document = (new.id_type[row], new.id_number[row])
    if (card.identity.id_type, card.identity.id_number) == document:
        return True
    return rows.is_alias(connection, card.account, "document", "".join(document).encode())


def _outcome(card: Card, name: str, restore: Callable[[Card], Card] | None) -> Registered:
    if card.identity.name != name:
        return Registered(Outcome.OTHER_NAME, card.account, None)
    if card.state is not AccountState.CANCELLED or card.merged_into or restore is None:
        return Registered(Outcome.EXISTING, card.account, card)
    return Registered(Outcome.RESTORED, card.account, restore(card))


def restore(connection: Connection, changing: Callable[[Card], None], card: Card, *, now: int, by: str) -> Card:
    """Cancelled when it was read: restored, unless another one was faster."""
    locked = rows.fetch(connection, card.account, lock=True)
    if locked is None or locked.state is not AccountState.CANCELLED:
        return locked or card
    changing(locked)
    return rows.restore(connection, locked, now, by)
