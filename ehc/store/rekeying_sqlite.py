"""Pages of accounts and their other ids, for a rekeying over SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ehc.cards.rekeying import Accounts, Packed
from ehc.crypto.columns import Column, column_of
from ehc.store.bulk_sqlite import driver
from ehc.store.rekeying_pages import Fold, KeyRows, Others, Stray

_AFTER = (
    "SELECT account, id_type, id_number, name, key_version, card_id FROM accounts"
    " WHERE account > ? AND account <= ? ORDER BY account LIMIT ?"
)
_OTHERS = "SELECT account, key_version, card_id FROM rekeyed_cards WHERE account BETWEEN ? AND ? ORDER BY account"
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

    def index(self, connection: Connection) -> None:
        """Its plans do not depend on what was counted."""

    def hasten(self, connection: Connection) -> None:
        """As enter."""

    def rows(self, connection: Connection, after: int, last: int, most: int) -> Accounts:
        with driver(connection) as raw:
            found = _columns(raw.execute(_AFTER, (after, last, most)).fetchall(), 6)
        account, id_type, id_number, name, key_version, card_id = found
        texts = _text(id_type), _text(id_number), _text(name)
        return Accounts(_numbers(account), texts, _numbers(key_version), _packed(card_id))

    def others(self, connection: Connection, first: int, last: int) -> Others:
        with driver(connection) as raw:
            account, key_version, card_id = _columns(raw.execute(_OTHERS, (first, last)).fetchall(), 3)
        return Others(_numbers(account), _numbers(key_version), _packed(card_id))

    def ids(self, connection: Connection, after: int, most: int) -> tuple[NDArray[np.int64], Packed]:
        with driver(connection) as raw:
            account, card_id = _columns(raw.execute(_IDS, (after, most)).fetchall(), 2)
        return _numbers(account), _packed(card_id)

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

    def put(self, connection: Connection, others: Others) -> None:
        rows = zip(others.account.tolist(), others.key_version.tolist(), others.card_id.whole(), strict=True)
        self._many(connection, _PUT, rows)

    def drop(self, connection: Connection, first: int, last: int) -> None:
        with driver(connection) as raw:
            raw.execute(_DROP, (first, last))

    def fold(self, connection: Connection, folds: Sequence[Fold], version: int) -> None:
        self._many(connection, _FOLD, [(new, version, account, old) for account, old, new in folds])

    def missing(self, connection: Connection, keys: KeyRows) -> NDArray[np.int64]:
        with driver(connection) as raw:
            asked = dict(zip(keys.account.tolist(), keys.key.tolist(), strict=True))
            found = raw.execute(_MISSING, (msgspec.json.encode(asked).decode(),)).fetchall()
        return _numbers([account for (account,) in found])

    def add_keys(self, connection: Connection, keys: KeyRows) -> None:
        self._many(connection, _ADD_KEY, _pairs(keys))

    def drop_keys(self, connection: Connection, keys: KeyRows) -> None:
        self._many(connection, _DROP_KEY, _pairs(keys))

    @staticmethod
    def _many(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        raw: sqlite3.Connection
        with driver(connection) as raw:
            raw.executemany(statement, rows)


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> Sequence[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * count


def _numbers(column: Sequence[int]) -> NDArray[np.int64]:
    return np.array(column, np.int64)


def _text(column: Sequence[str]) -> Column:
    return column_of([text.encode() for text in column])


def _packed(column: Sequence[bytes]) -> Packed:
    return Packed.of(b"".join(column), np.fromiter(map(len, column), np.int64, len(column)))


def _pairs(keys: KeyRows) -> Iterable[tuple[int, int]]:
    ordered = keys.ordered()
    return zip(ordered.key.tolist(), ordered.account.tolist(), strict=True)
