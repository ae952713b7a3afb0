"""Pages of accounts and their other ids, for a rekeying over PostgreSQL: one statement a page, its answer one row.

Columns of numbers and texts come as JSON and the card ids of a page in one value: what is read from the driver field by
field costs as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, text

from ehc.store.account_keys import key_of_bytes
from ehc.store.bulk_postgres import Int8s, driver, int8s
from ehc.store.rekeyed_rows import LOCK
from ehc.store.rekeying_pages import Fold, Key, Other, Row, Stray

_AFTER = (
    "SELECT account, id_type, id_number, name, key_version, card_id FROM accounts"
    " WHERE account > %b AND account <= %b ORDER BY account LIMIT %b"
)
_OTHERS = "SELECT account, key_version, card_id FROM rekeyed_cards WHERE account BETWEEN %b AND %b"
_IDS = "SELECT account, card_id FROM rekeyed_cards WHERE account > %b ORDER BY account LIMIT %b"
_PUT = (
    "INSERT INTO rekeyed_cards (account, key_version, card_id)"
    " SELECT account, version::int4, substr(%b::bytea, begins::int4, length::int4)"
    " FROM unnest(%b::int8[], %b::int8[], %b::int8[], %b::int8[]) AS made (account, version, begins, length)"
    " ON CONFLICT (account) DO UPDATE SET key_version = excluded.key_version, card_id = excluded.card_id"
)
_PAGE = (
    "SELECT coalesce(max(account), %b), count(*)"
    " FROM (SELECT account FROM accounts WHERE account > %b ORDER BY account LIMIT %b) AS page"
)
_SETTLE = (
    "other AS (DELETE FROM rekeyed_cards WHERE account BETWEEN %b AND %b RETURNING account, key_version, card_id),"
    " pair AS (SELECT account, own.card_id AS own, other.card_id AS other,"
    " other.key_version = %b AND own.key_version <> other.key_version AS folds"
    " FROM other JOIN accounts AS own USING (account) WHERE own.account BETWEEN %b AND %b),"
    " folded AS (UPDATE accounts SET card_id = pair.other, key_version = %b FROM pair WHERE pair.folds"
    " AND accounts.account BETWEEN %b AND %b AND accounts.account = pair.account AND accounts.card_id = pair.own), "
)
_ENDED = "SELECT account, CASE WHEN folds THEN own ELSE other END AS card_id FROM pair WHERE own <> other"
"""Whoever renames changes the account's row and deletes the other id's: one of the two makes them
wait, or this."""

_DROP = "DELETE FROM rekeyed_cards WHERE account BETWEEN %b AND %b"
_FOLD = "UPDATE accounts SET card_id = %b, key_version = %b WHERE account = %b AND card_id = %b"
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
        names = ("account", "id_type", "id_number", "name", "key_version")
        return _columns(connection, _AFTER, (after, last, most), names)

    def others(self, connection: Connection, first: int, last: int) -> list[Other]:
        return _columns(connection, _OTHERS, (first, last), ("account", "key_version"))

    def ids(self, connection: Connection, after: int, most: int) -> list[tuple[int, bytes]]:
        return _columns(connection, _IDS, (after, most), ("account",))

    def put(self, connection: Connection, others: Sequence[Other]) -> None:
        if others:
            account, version, card_id = zip(*others, strict=True)
            lengths = np.fromiter(map(len, card_id), np.int64, len(card_id))
            begins = 1 + np.cumsum(lengths) - lengths
            _change(connection, _PUT, b"".join(card_id), account, version, begins, lengths)

    def page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        last, count = _one(connection, _PAGE, (after, after, most))
        return last, count

    def settle(self, connection: Connection, first: int, last: int, present: int) -> None:
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # a page is never worth reading a whole table
        page = first, last
        values = (*page, present, *page, present, *page)
        lost = _columns(connection, _ENDED, values, ("account",), before=_SETTLE)
        self.drop_keys(connection, [(key_of_bytes(card_id), account) for account, card_id in lost])

    def key_page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        return after, 0  # the keys went with the accounts: a deleted row's page is not written anew, as SQLite's is

    def strays(self, connection: Connection, after: int, last: int) -> list[Stray]:
        return []

    def drop(self, connection: Connection, first: int, last: int) -> None:
        _change(connection, _DROP, first, last)

    def fold(self, connection: Connection, folds: Sequence[Fold], version: int) -> None:
        for account, old, new in folds:
            _change(connection, _FOLD, new, version, account, old)

    def missing(self, connection: Connection, keys: Sequence[Key]) -> set[int]:
        with driver(connection) as raw, int8s(raw) as cursor:
            found = cursor.execute(_MISSING.encode(), _sent(zip(*keys, strict=True)))
            return {account for (account,) in found}

    def add_keys(self, connection: Connection, keys: Iterable[Key]) -> None:
        self._keys(connection, _ADD_KEYS, keys)

    def drop_keys(self, connection: Connection, keys: Iterable[Key]) -> None:
        self._keys(connection, _DROP_KEYS, keys)

    @staticmethod
    def _keys(connection: Connection, statement: str, keys: Iterable[Key]) -> None:
        if ordered := sorted(keys):  # everywhere the same order: no two deadlock
            _change(connection, statement, *zip(*ordered, strict=True))


def _columns(
    connection: Connection, query: str, values: Sequence[Any], names: Sequence[str], before: str = ""
) -> list[Any]:
    """Rows of these columns and the card id. before: what WITH does first."""
    listed = "".join(f"json_agg({name})::text, " for name in names)
    listed += "json_agg(length(card_id))::text, string_agg(card_id, '')"
    query = f"WITH {before}page AS ({query}) SELECT {listed} FROM page"  # noqa: S608  ours
    *columns, lengths, card_ids = _one(connection, query, values)
    if card_ids is None:
        return []
    ends = accumulate(_decode(lengths), initial=0)
    cut = [card_ids[begin:end] for begin, end in pairwise(ends)]
    return list(zip(*map(_decode, columns), cut, strict=True))


_decode = msgspec.json.Decoder(list[Any]).decode


def _one(connection: Connection, query: str, values: Sequence[Any]) -> Any:
    """The only row."""
    with driver(connection) as raw, raw.cursor(binary=True) as cursor:
        return cursor.execute(query.encode(), values).fetchone()


def _change(connection: Connection, statement: str, *values: Any) -> None:
    with driver(connection) as raw, int8s(raw) as cursor:
        cursor.execute(statement.encode(), _sent(values))


def _sent(values: Iterable[Any]) -> list[Any]:
    """Columns of whole numbers as arrays, all else as it is."""
    return [Int8s.of(np.asarray(one, np.int64)) if isinstance(one, tuple | np.ndarray) else one for one in values]
