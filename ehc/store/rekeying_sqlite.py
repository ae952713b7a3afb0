"""Pages of accounts and their other ids, for a rekeying over SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from ehc.store.bulk_sqlite import driver
from ehc.store.rekeying_pages import Fold, Key, Other, Row, Stray

_AFTER = (
    "SELECT account, id_type, id_number, name, key_version, card_id FROM accounts"
    " WHERE account > ? AND account <= ? ORDER BY account LIMIT ?"
)
_OTHERS = "SELECT account, key_version, card_id FROM rekeyed_cards WHERE account BETWEEN ? AND ?"
_PUT = (
    "INSERT INTO rekeyed_cards (account, key_version, card_id) VALUES (?, ?, ?) ON CONFLICT (account)"
    " DO UPDATE SET key_version = excluded.key_version, card_id = excluded.card_id"
)
_IDS = "SELECT account, card_id FROM rekeyed_cards WHERE account > ? ORDER BY account LIMIT ?"
_PAGE = "SELECT max(account), count(*) FROM (SELECT account FROM accounts WHERE account > ? ORDER BY account LIMIT ?)"
_SETTLE = (
    "UPDATE accounts SET card_id = other.card_id, key_version = other.key_version FROM rekeyed_cards AS other"
    " WHERE accounts.account BETWEEN ? AND ? AND other.account = accounts.account"
    " AND other.key_version = ? AND accounts.key_version <> other.key_version"
)
_KEY_PAGE = (
    "SELECT max(key), count(*) FROM card_keys WHERE key > :after AND key <= coalesce("
    "(SELECT key FROM card_keys WHERE key > :after ORDER BY key LIMIT 1 OFFSET :most - 1), 9223372036854775807)"
)
_STRAYS = (
    "SELECT known.key, known.account, EXISTS"
    " (SELECT 1 FROM aliases WHERE aliases.account = known.account AND aliases.kind = 'card'), own.card_id"
    " FROM card_keys AS known CROSS JOIN accounts AS own ON own.account = known.account"
    " WHERE known.key > ? AND known.key <= ? AND hex(substr(own.card_id, 1, 8)) <> printf('%016X', known.key)"
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

    def ids(self, connection: Connection, after: int, most: int) -> list[tuple[int, bytes]]:
        with driver(connection) as raw:
            return raw.execute(_IDS, (after, most)).fetchall()

    def page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        with driver(connection) as raw:
            last, count = raw.execute(_PAGE, (after, most)).fetchone()
            return last or after, count

    def settle(self, connection: Connection, first: int, last: int, present: int) -> None:
        with driver(connection) as raw:
            raw.execute(_SETTLE, (first, last, present))
            raw.execute(_DROP, (first, last))

    def key_page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        with driver(connection) as raw:
            last, count = raw.execute(_KEY_PAGE, {"after": after, "most": most}).fetchone()
            return (last, count) if count else (after, 0)

    def strays(self, connection: Connection, after: int, last: int) -> list[Stray]:
        with driver(connection) as raw:
            return raw.execute(_STRAYS, (after, last)).fetchall()

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
