"""What a rekeying asks of a database, in its own way: rekeying_sqlite.py, rekeying_postgres.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ehc.cards.rekeying import Accounts, Packed
from ehc.store.account_keys import Keys


class Others(NamedTuple):
    """Of `rekeyed_cards`, row for row, by account."""

    account: NDArray[np.int64]
    key_version: NDArray[np.int64]
    card_id: Packed

    def __len__(self) -> int:
        return len(self.account)


class KeyRows(NamedTuple):
    """Of `card_keys`, row for row."""

    key: Keys
    account: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.key)

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int]]) -> KeyRows:
        return cls(*np.array(rows, np.int64).reshape(-1, 2).T)

    def ordered(self) -> KeyRows:
        """By key, then account: everywhere the same, so that no two deadlock; and neighbours in the index follow."""
        order = np.lexsort((self.account, self.key))
        return KeyRows(self.key[order], self.account[order])


Fold = tuple[int, bytes, bytes]
"""account, the card id of its row, and the one that takes its place."""

Stray = tuple[int, int, bool, bytes]
"""key, account, whether the account has aliases, its card id: a key that the card id does not begin with."""


class Pages(Protocol):
    """All in the caller's transaction."""

    def begin(self, connection: Connection) -> None:
        """Wait for whoever writes accounts, and let nobody else."""
        ...

    def enter(self, connection: Connection) -> None:
        """Wait for whoever has noted accounts as due, and let nobody else."""
        ...

    def index(self, connection: Connection) -> None:
        """From here on go through indexes: a page is never worth reading a whole table."""
        ...

    def hasten(self, connection: Connection) -> None:
        """From here on give up soon (Unavailable) where somebody else holds an account: they shall not wait for us."""
        ...

    def rows(self, connection: Connection, after: int, last: int, most: int) -> Accounts:
        """By account, after that one, up to and with the last; at most so many."""
        ...

    def others(self, connection: Connection, first: int, last: int) -> Others: ...

    def ids(self, connection: Connection, after: int, most: int) -> tuple[NDArray[np.int64], Packed]:
        """account, card_id of the other ids, by account."""
        ...

    def put(self, connection: Connection, others: Others) -> None:
        """In place of what there is."""
        ...

    def page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        """The last one of the next so many accounts, and how many there are."""
        ...

    def settle(self, connection: Connection, first: int, last: int, present: int) -> None:
        """Accounts of this page keep the id of the present version alone, those that have one. Keys of the others
        may be left for `strays`."""
        ...

    def key_page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        """The last one of the next so many keys to look for strays in, and how many rows have one of them."""
        ...

    def strays(self, connection: Connection, after: int, last: int) -> list[Stray]:
        """Among keys after that one, up to and with the last."""
        ...

    def drop(self, connection: Connection, first: int, last: int) -> None:
        """Other ids of these accounts."""
        ...

    def fold(self, connection: Connection, folds: Sequence[Fold], version: int) -> None:
        """Of rows that still have that card id."""
        ...

    def missing(self, connection: Connection, keys: KeyRows) -> NDArray[np.int64]:
        """Accounts that are not found by this key."""
        ...

    def add_keys(self, connection: Connection, keys: KeyRows) -> None: ...

    def drop_keys(self, connection: Connection, keys: KeyRows) -> None: ...
