"""Pages of accounts and their other ids, for a rekeying over PostgreSQL: one statement a page, its answer one row.

A column of numbers comes as one array, a column of texts or card ids in one value and an array of lengths: what is read
from the driver field by field costs as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from ehc.cards.rekeying import Accounts, Packed
from ehc.crypto.columns import Column
from ehc.store.account_keys import keys_of
from ehc.store.bulk_postgres import Int8s, copy_in, driver, int8s
from ehc.store.copy_rows import fixed_rows, text_rows
from ehc.store.database import WHOLE_TABLES
from ehc.store.rekeyed_rows import LOCK
from ehc.store.rekeying_pages import Fold, KeyRows, Others, Stray

_AFTER = (
    "SELECT account, id_type, id_number, name, key_version, card_id FROM accounts"
    " WHERE account > %b AND account <= %b ORDER BY account LIMIT %b"
)
_OTHERS = "SELECT account, key_version, card_id FROM rekeyed_cards WHERE account BETWEEN %b AND %b ORDER BY account"
_IDS = "SELECT account, card_id FROM rekeyed_cards WHERE account > %b ORDER BY account LIMIT %b"
_INDEX = text("SELECT set_config(way, 'off', true) FROM unnest(CAST(:ways AS text[])) AS way")
_SORTED_TABLES = ("enable_bitmapscan", "enable_sort")
"""Where nobody has counted the rows yet, the planner takes all that follow a page and sorts them: 560 ms, not 20."""
_HASH = text("SELECT set_config('enable_hashjoin', :may, true)")
_COPY = "COPY rekeyed_cards (account, key_version, card_id) FROM STDIN WITH (FORMAT BINARY)"
_COPY_KEYS = "COPY card_keys (key, account) FROM STDIN WITH (FORMAT BINARY)"
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

    def index(self, connection: Connection) -> None:
        connection.execute(_INDEX, {"ways": [*WHOLE_TABLES, *_SORTED_TABLES]})

    def hasten(self, connection: Connection) -> None:
        connection.execute(text("SET LOCAL lock_timeout = '300ms'"))  # sooner than anybody looks for a deadlock

    def rows(self, connection: Connection, after: int, last: int, most: int) -> Accounts:
        found = _columns(connection, _AFTER, (after, last, most), ("account", "key_version"), texts=_TEXTS)
        (account, key_version), (id_type, id_number, name), card_id = found
        return Accounts(account, (id_type, id_number, name), key_version, card_id)

    def others(self, connection: Connection, first: int, last: int) -> Others:
        (account, key_version), _, card_id = _columns(connection, _OTHERS, (first, last), ("account", "key_version"))
        return Others(account, key_version, card_id)

    def ids(self, connection: Connection, after: int, most: int) -> tuple[NDArray[np.int64], Packed]:
        (account,), _, card_id = _columns(connection, _IDS, (after, most), ("account",))
        return account, card_id

    def put(self, connection: Connection, others: Others) -> None:
        if not len(others):
            return
        account, key_version, (card_id, lengths) = others
        rows = text_rows([account, key_version.astype(np.int32), (card_id, lengths)])
        if not _copied(connection, _COPY, [rows]):
            begins = 1 + np.cumsum(lengths, dtype=np.int64) - lengths
            joined = b"".join(others.card_id.whole())
            _change(connection, _PUT, joined, account, key_version, begins, lengths.astype(np.int64))

    def page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        last, count = _one(connection, _PAGE, (after, after, most))
        return last, count

    def settle(self, connection: Connection, first: int, last: int, present: int) -> None:
        page = first, last
        values = (*page, present, *page, present, *page)
        connection.execute(_HASH, {"may": "on"})  # a part of the accounts meets the page once, not row by row
        (account,), _, card_id = _columns(connection, _ENDED, values, ("account",), before=_SETTLE)
        connection.execute(_HASH, {"may": "off"})
        self.drop_keys(connection, KeyRows(keys_of(*card_id), account))

    def key_page(self, connection: Connection, after: int, most: int) -> tuple[int, int]:
        return after, 0  # the keys went with the accounts: a deleted row's page is not written anew, as SQLite's is

    def strays(self, connection: Connection, after: int, last: int) -> list[Stray]:
        return []

    def drop(self, connection: Connection, first: int, last: int) -> None:
        _change(connection, _DROP, first, last)

    def fold(self, connection: Connection, folds: Sequence[Fold], version: int) -> None:
        for account, old, new in folds:
            _change(connection, _FOLD, new, version, account, old)

    def missing(self, connection: Connection, keys: KeyRows) -> NDArray[np.int64]:
        with driver(connection) as raw, int8s(raw) as cursor:
            found = cursor.execute(_MISSING.encode(), _sent(keys.ordered())).fetchall()
        return np.array([account for (account,) in found], np.int64)

    def add_keys(self, connection: Connection, keys: KeyRows) -> None:
        ordered = keys.ordered()
        if len(keys) and not _copied(connection, _COPY_KEYS, [fixed_rows(ordered)]):
            _change(connection, _ADD_KEYS, *ordered)

    def drop_keys(self, connection: Connection, keys: KeyRows) -> None:
        if len(keys):
            _change(connection, _DROP_KEYS, *keys.ordered())


_TEXTS = ("id_type", "id_number", "name")


def _columns(
    connection: Connection,
    query: str,
    values: Sequence[Any],
    numbers: Sequence[str],
    *,
    texts: Sequence[str] = (),
    before: str = "",
) -> tuple[list[NDArray[np.int64]], list[Column], Packed]:
    """Columns of the query, and its card id. before: what WITH does first."""
    listed = [f"array_agg({name}::int8)" for name in numbers]
    for name in (*texts, "card_id"):
        listed += [f"string_agg({name}, '')", f"array_agg(octet_length({name})::int8)"]
    query = f"WITH {before}page AS ({query}) SELECT {', '.join(listed)} FROM page"  # noqa: S608  ours
    with driver(connection) as raw, int8s(raw) as cursor:
        found = cursor.execute(query.encode(), values).fetchone()
    assert found is not None  # noqa: S101  one row, whatever there is
    if found[0] is None:
        found = (*(_NONE for _ in numbers), *(("", _NONE) * len(texts)), b"", _NONE)
    cut = list(zip(found[len(numbers) :: 2], found[len(numbers) + 1 :: 2], strict=True))
    columns = [(np.frombuffer(whole.encode(), np.uint8), _ends(lengths)) for whole, lengths in cut[:-1]]
    return list(found[: len(numbers)]), columns, Packed.of(*cut[-1])


_NONE: NDArray[np.int64] = np.zeros(0, np.int64)


def _ends(lengths: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.concatenate(([0], np.cumsum(lengths)), dtype=np.int32, casting="same_kind")


def _copied(connection: Connection, statement: str, rows: Sequence[bytes]) -> bool:
    """False where some are there already: then nothing was done."""
    with driver(connection) as raw:
        try:
            with raw.transaction():
                copy_in(raw, statement, rows)
        except psycopg.errors.UniqueViolation:
            return False
    return True


def _one(connection: Connection, query: str, values: Sequence[Any]) -> Any:
    """The only row."""
    with driver(connection) as raw, raw.cursor(binary=True) as cursor:
        return cursor.execute(query.encode(), values).fetchone()


def _change(connection: Connection, statement: str, *values: Any) -> None:
    with driver(connection) as raw, int8s(raw) as cursor:
        cursor.execute(statement.encode(), _sent(values))


def _sent(values: Iterable[Any]) -> list[Any]:
    """Columns of whole numbers as arrays, all else as it is."""
    return [Int8s.of(one) if isinstance(one, np.ndarray) else one for one in values]
