"""Pages of accounts and their other ids, for a rekeying over SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from ehc.store.bulk_sqlite import driver
from ehc.store.rekeying_pages import Fold, Key, Other, Row

_AFTER = (
    "SELECT account, id_type, id_number, name, key_version, card_id FROM accounts"
    " WHERE account > ? AND account <= ? ORDER BY account LIMIT ?"
)
_OTHERS = "SELECT account, key_version, card_id FROM rekeyed_cards WHERE account BETWEEN ? AND ?"
_PUT = (
    "INSERT INTO rekeyed_cards (account, key_version, card_id) VALUES (?, ?, ?) ON CONFLICT (account)"
    " DO UPDATE SET key_version = excluded.key_version, card_id = excluded.card_id"
)
_DROP = "DELETE FROM rekeyed_cards WHERE account BETWEEN ? AND ?"
_FOLD = "UPDATE accounts SET card_id = ?, key_version = ? WHERE account = ? AND card_id = ?"
_MISSING = (
    "SELECT CAST(asked.key AS INTEGER) FROM json_each(?) AS asked WHERE NOT EXISTS (SELECT 1 FROM card_keys AS known"
    " WHERE known.key = asked.value AND known.account = CAST(asked.key AS INTEGER))"
)
_ADD_KEY = "INSERT OR IGNORE INTO card_keys (key, account) VALUES (?, ?)"
_DROP_KEY = "DELETE FROM card_keys WHERE key = ? AND account = ?"


class SqlitePages:
    """rekeying_pages.Pages."""

    def enter(self, connection: Connection) -> None:
        """Every writer is alone anyway."""

    def begin(self, connection: Connection) -> None:
        """As enter."""

    def hasten(self, connection: Connection) -> None:
        """As enter."""

    def rows(self, connection: Connection, after: int, last: int, most: int) -> list[Row]:
        with driver(connection) as raw:
            return raw.execute(_AFTER, (after, last, most)).fetchall()

    def others(self, connection: Connection, first: int, last: int) -> list[Other]:
        with driver(connection) as raw:
            return raw.execute(_OTHERS, (first, last)).fetchall()

    def put(self, connection: Connection, others: Sequence[Other]) -> None:
        self._many(connection, _PUT, others)

    def drop(self, connection: Connection, first: int, last: int) -> None:
        with driver(connection) as raw:
            raw.execute(_DROP, (first, last))

    def fold(self, connection: Connection, folds: Sequence[Fold], version: int) -> None:
        self._many(connection, _FOLD, [(new, version, account, old) for account, old, new in folds])

    def missing(self, connection: Connection, keys: Sequence[Key]) -> set[int]:
        with driver(connection) as raw:
            asked = msgspec.json.encode({account: key for key, account in keys}).decode()
            return {account for (account,) in raw.execute(_MISSING, (asked,))}

    def add_keys(self, connection: Connection, keys: Iterable[Key]) -> None:
        self._many(connection, _ADD_KEY, sorted(keys))  # neighbours in the index one after the other

    def drop_keys(self, connection: Connection, keys: Iterable[Key]) -> None:
        self._many(connection, _DROP_KEY, sorted(keys))

    @staticmethod
    def _many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        raw: sqlite3.Connection
        with driver(connection) as raw:
            raw.executemany(statement, rows)
