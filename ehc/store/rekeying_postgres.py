"""Pages of accounts and their other ids, for a rekeying over PostgreSQL: arrays in binary, one statement a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from ehc.store.bulk_postgres import driver
from ehc.store.rekeyed_rows import LOCK
from ehc.store.rekeying_pages import Fold, Key, Other, Row

_AFTER = (
    "SELECT account, id_type, id_number, name, key_version, card_id FROM accounts"
    " WHERE account > %b AND account <= %b ORDER BY account LIMIT %b"
)
_OTHERS = "SELECT account, key_version, card_id FROM rekeyed_cards WHERE account BETWEEN %b AND %b"
_PUT = (
    "INSERT INTO rekeyed_cards (account, key_version, card_id)"
    " SELECT * FROM unnest(%b::int8[], %b::int4[], %b::bytea[]) ON CONFLICT (account)"
    " DO UPDATE SET key_version = excluded.key_version, card_id = excluded.card_id"
)
_DROP = "DELETE FROM rekeyed_cards WHERE account BETWEEN %b AND %b"
_FOLD = (
    "UPDATE accounts SET card_id = folds.new, key_version = %b"
    " FROM unnest(%b::int8[], %b::bytea[], %b::bytea[]) AS folds (account, old, new)"
    " WHERE accounts.account = folds.account AND accounts.card_id = folds.old"
)
_MISSING = (
    "SELECT asked.account FROM unnest(%b::int8[], %b::int8[]) AS asked (key, account) WHERE NOT EXISTS"
    " (SELECT 1 FROM card_keys AS known WHERE known.key = asked.key AND known.account = asked.account)"
)
_ADD_KEYS = "INSERT INTO card_keys (key, account) SELECT * FROM unnest(%b::int8[], %b::int8[]) ON CONFLICT DO NOTHING"
_DROP_KEYS = (
    "DELETE FROM card_keys USING unnest(%b::int8[], %b::int8[]) AS gone (key, account)"
    " WHERE card_keys.key = gone.key AND card_keys.account = gone.account"
)


class PostgresPages:
    """rekeying_pages.Pages."""

    def begin(self, connection: Connection) -> None:
        connection.execute(text("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"))

    def enter(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})

    def hasten(self, connection: Connection) -> None:
        connection.execute(text("SET LOCAL lock_timeout = '300ms'"))  # sooner than anybody looks for a deadlock

    def rows(self, connection: Connection, after: int, last: int, most: int) -> list[Row]:
        return self._read(connection, _AFTER, (after, last, most))

    def others(self, connection: Connection, first: int, last: int) -> list[Other]:
        return self._read(connection, _OTHERS, (first, last))

    def put(self, connection: Connection, others: Sequence[Other]) -> None:
        self._change(connection, _PUT, others)

    def drop(self, connection: Connection, first: int, last: int) -> None:
        with driver(connection) as raw:
            raw.execute(_DROP, (first, last))

    def fold(self, connection: Connection, folds: Sequence[Fold], version: int) -> None:
        self._change(connection, _FOLD, folds, version)

    def missing(self, connection: Connection, keys: Sequence[Key]) -> set[int]:
        return {account for (account,) in self._read(connection, _MISSING, _columns(keys))} if keys else set()

    def add_keys(self, connection: Connection, keys: Iterable[Key]) -> None:
        self._change(connection, _ADD_KEYS, sorted(keys))  # everywhere the same order: no two deadlock

    def drop_keys(self, connection: Connection, keys: Iterable[Key]) -> None:
        self._change(connection, _DROP_KEYS, sorted(keys))

    @staticmethod
    def _read(connection: Connection, statement: str, values: Sequence[Any]) -> list[Any]:
        with driver(connection) as raw, raw.cursor(binary=True) as cursor:
            return cursor.execute(statement.encode(), values).fetchall()

    @staticmethod
    def _change(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]], *before: Any) -> None:
        if rows:
            with driver(connection) as raw:
                raw.execute(statement.encode(), (*before, *_columns(rows)))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
