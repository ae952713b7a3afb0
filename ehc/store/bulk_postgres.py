"""Batches into PostgreSQL: COPY in binary, rows sorted by key, history as one row, one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Engine, Table, bindparam, literal_column, select, true
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from ehc.cards.account import NewCardColumns
from ehc.crypto.columns import Texts
from ehc.model import Card
from ehc.store import bulk
from ehc.store.account_keys import Keys
from ehc.store.account_rows import CARDS, card_of
from ehc.store.bulk import BatchKeys, Done
from ehc.store.copy_rows import HEADER, TRAILER, fixed_rows, text_rows
from ehc.store.database import unavailable, without_values
from ehc.store.tables import accounts, card_keys, mindex_keys

_OWNERS = "SELECT key, account FROM document_keys WHERE key = ANY(%b)"
_BLOCK = "SELECT nextval('account_blocks')"
BLOCK = 16_384  # account numbers that one block has
_BATCH = "INSERT INTO registrations VALUES (%s, %s, %s, %s)"
_COPY_ACCOUNTS = (
    "COPY accounts (account, mindex, card_id, id_type, id_number, name, key_version, registered_at, origin)"
    " FROM STDIN WITH (FORMAT BINARY)"
)
_COPY = {
    "document_keys": "COPY document_keys FROM STDIN WITH (FORMAT BINARY)",
    "card_keys": "COPY card_keys FROM STDIN WITH (FORMAT BINARY)",
    "mindex_keys": "COPY mindex_keys FROM STDIN WITH (FORMAT BINARY)",
}


def _cards_of(table: Table) -> bytes:
    """One statement, as the driver takes it. LIMIT keeps the planner from turning the join round where nothing was
    counted yet: it would read all accounts."""
    its = CARDS.where(accounts.c.account == table.c.account).limit(literal_column("1")).lateral()
    query = select(its).select_from(table.join(its, true())).where(table.c.key == bindparam("key"))
    return str(query.compile(dialect=PGDialect_psycopg())).encode()  # type: ignore[no-untyped-call]


_CARDS_OF = {table.name: _cards_of(table) for table in (card_keys, mindex_keys)}
"""Two statements through SQLAlchemy take three times the processor's time."""


_CELL = np.dtype([("length", ">i4"), ("key", ">i8")])


class Int8s(bytes):
    """An int8[] as PostgreSQL's binary protocol writes it; for a cursor of `int8s`."""

    @classmethod
    def of(cls, keys: Keys) -> Int8s:
        cells = np.empty(len(keys), _CELL)
        cells["length"], cells["key"] = 8, keys
        head = np.array([1, 0, psycopg.adapters.types["int8"].oid, len(keys), 1], ">i4")
        return cls(head.tobytes() + cells.tobytes())


class _Int8sDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["int8"].array_oid

    def dump(self, obj: bytes) -> Buffer | None:
        return obj


class _Int8sLoader(Loader):
    """Into a column, without a Python object a number; none may be NULL."""

    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[np.int64]:
        return np.frombuffer(data, _CELL, offset=20)["key"].astype(np.int64)


@contextmanager
def int8s(raw: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[Any]]:
    """A cursor that answers in binary, and takes and gives columns of whole numbers."""
    with raw.cursor(binary=True) as cursor:
        cursor.adapters.register_dumper(Int8s, _Int8sDumper)
        cursor.adapters.register_loader(_Int8sDumper.oid, _Int8sLoader)
        yield cursor


@contextmanager
def driver(connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """The driver's own connection of a transaction, with trouble raised as everywhere."""
    raw: Any = connection.connection.driver_connection
    try:
        yield raw
    except psycopg.OperationalError as error:
        if raw.closed:  # so are all others
            connection.invalidate()
            connection.engine.dispose()
        raise unavailable(connection.engine.url.database, without_values(error)) from error
    except psycopg.Error as error:
        raise without_values(error) from None


class PostgresBulk:
    """The unique key of documents says who is known. Where the batch before met nobody, the next is written without
    asking first; if that was wrong nothing was done, and the batch is tried again with a question."""

    def __init__(self, engine: Engine, changing: Callable[[Card], None]) -> None:
        self._engine, self._changing = engine, changing
        self._all_new = True  # the batch before held nobody who was known

    def accounts_of(self, connection: Connection, table: Table, key: int) -> Sequence[int]:
        return connection.scalars(select(table.c.account).where(table.c.key == key)).all()

    def cards_of(self, connection: Connection, table: Table, key: int) -> Sequence[Card]:
        with driver(connection) as raw, raw.cursor(binary=True, row_factory=namedtuple_row) as cursor:
            return [card_of(row) for row in cursor.execute(_CARDS_OF[table.name], {"key": key})]

    def register_columns(self, new: NewCardColumns, now: int, by: str) -> Done | None:
        keys = BatchKeys.of(new)
        try:
            with self._engine.begin() as connection, driver(connection) as raw:
                account = np.zeros(len(new), np.int64) if self._all_new else _owners(raw, keys.documents)
                parts = bulk.split(keys.documents, account)
                _add(raw, new, keys, parts.fresh, account, now=now, by=by)
                bulk.note_rekeying(connection, account[parts.fresh])
                restore = partial(bulk.restore, connection, self._changing, now=now, by=by)
                done = bulk.conclude(connection, new, parts, account, restore)
        except psycopg.errors.UniqueViolation:
            self._all_new = False
            return None
        self._all_new = not len(parts.known)
        return done


def _owners(raw: psycopg.Connection[Any], keys: Keys) -> NDArray[np.int64]:
    """The account that has each key, 0 for none."""
    order = np.argsort(keys)
    ordered = keys[order]
    with int8s(raw) as cursor:
        hits = np.array(cursor.execute(_OWNERS, (Int8s.of(ordered),)).fetchall(), np.int64).reshape(-1, 2)
    hits = hits[np.argsort(hits[:, 0])]
    found = np.zeros(len(keys), np.int64)
    if len(hits):
        at = np.minimum(np.searchsorted(hits[:, 0], ordered), len(hits) - 1)
        found = np.where(hits[at, 0] == ordered, hits[at, 1], 0)
    account = np.empty_like(found)
    account[order] = found
    return account


def _add(
    raw: psycopg.Connection[Any],
    new: NewCardColumns,
    keys: BatchKeys,
    fresh: bulk.Rows,
    account: NDArray[np.int64],
    *,
    now: int,
    by: str,
) -> None:
    if not len(fresh):
        return
    account[fresh] = _numbers(raw, len(fresh))
    for table, column in zip(_COPY, (keys.documents, keys.cards, keys.mindexes), strict=True):
        order = fresh[np.argsort(column[fresh])]  # everywhere the same order: no two batches deadlock
        copy_in(raw, _COPY[table], [fixed_rows([column[order], account[order]])])
    copy_in(raw, _COPY_ACCOUNTS, [_account_rows(new, fresh, account, now)])
    for first, last in bulk.runs(account[fresh]):
        raw.execute(_BATCH, (first, last, now, by))


def _numbers(raw: psycopg.Connection[Any], count: int) -> NDArray[np.int64]:
    """So many account numbers that nobody has, in blocks: whoever else registers takes the ones between."""
    parts = [min(BLOCK, count - begin) for begin in range(0, count, BLOCK)]
    firsts = [raw.execute(_BLOCK).fetchone()[0] for _ in parts]  # type: ignore[index]
    return np.concatenate([np.arange(first, first + size) for first, size in zip(firsts, parts, strict=True)])


def copy_in(raw: psycopg.Connection[Any], statement: str, parts: Sequence[bytes]) -> None:
    with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(b"".join([HEADER, *parts, TRAILER]))


def _account_rows(new: NewCardColumns, fresh: bulk.Rows, account: NDArray[np.int64], now: int) -> bytes:
    every = len(fresh) == len(new)
    texts = (Texts.of(column) for column in (new.id_type, new.id_number, new.name))
    return text_rows(
        [
            account[fresh],
            new.mindex[fresh],
            (new.card_id[fresh], new.card_id_lengths[fresh]),
            *(column if every else column.rows(fresh) for column in texts),
            np.full(len(fresh), new.key_version, np.int32),
            np.full(len(fresh), now, np.int64),
            np.full(len(fresh), new.origin, np.int16),
        ]
    )
