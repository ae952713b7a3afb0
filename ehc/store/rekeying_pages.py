"""What a rekeying asks of a database, in its own way: rekeying_sqlite.py, rekeying_postgres.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Connection

Row = tuple[int, str, str, str, int, bytes]
"""account, id_type, id_number, name, key_version, card_id: of `accounts`."""

Other = tuple[int, int, bytes]
"""account, key_version, card_id: of `rekeyed_cards`."""

Fold = tuple[int, bytes, bytes]
"""account, the card id of its row, and the one that takes its place."""

Key = tuple[int, int]
"""key, account: of `card_keys`."""

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

    def hasten(self, connection: Connection) -> None:
        """From here on give up soon (Unavailable) where somebody else holds an account: they shall not wait for us."""
        ...

    def rows(self, connection: Connection, after: int, last: int, most: int) -> list[Row]:
        """By account, after that one, up to and with the last; at most so many."""
        ...

    def others(self, connection: Connection, first: int, last: int) -> list[Other]: ...

    def ids(self, connection: Connection, after: int, most: int) -> list[tuple[int, bytes]]:
        """account, card_id of the other ids, by account."""
        ...

    def put(self, connection: Connection, others: Sequence[Other]) -> None:
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

    def missing(self, connection: Connection, keys: Sequence[Key]) -> set[int]:
        """Accounts that are not found by this key."""
        ...

    def add_keys(self, connection: Connection, keys: Iterable[Key]) -> None: ...

    def drop_keys(self, connection: Connection, keys: Iterable[Key]) -> None: ...
