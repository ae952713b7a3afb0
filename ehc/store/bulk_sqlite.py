"""Batches into SQLite: accounts appended, their keys as one sorted run, their history as one row, one commit."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Table

from ehc.cards.account import NewCardColumns
from ehc.errors import InputError
from ehc.model import Card
from ehc.store import bulk
from ehc.store.account_keys import Keys
from ehc.store.account_rows import fetch
from ehc.store.bulk import BatchKeys, Done
from ehc.store.database import unavailable
from ehc.store.key_merge import KeyMerge
from ehc.store.recent_keys import LOOK_UPS, RecentKeys, run_of

RUN_ROWS = 512
"""A smaller batch puts its keys into the tables itself."""

_ONE = {
    "document_keys": "SELECT account FROM document_keys WHERE key = ?",
    "card_keys": "SELECT account FROM card_keys WHERE key = ?",
    "mindex_keys": "SELECT account FROM mindex_keys WHERE key = ?",
}
_EACH = (
    "SELECT asked.key, known.account FROM json_each(?) AS asked CROSS JOIN document_keys AS known"
    " ON known.key = asked.value"
)
_NEXT = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'accounts'), 0) + 1"
_ACCOUNTS = (
    "INSERT INTO accounts (account, mindex, card_id, id_type, id_number, name, key_version, registered_at, origin)"
    " SELECT :first + key, substr(:mindex, 32 * key + 1, 32), substr(:card_id, 32 * key + 1, :width),"
    " substr(value, 1, 2), substr(value, 4, instr(substr(value, 4), char(9)) - 1),"
    " substr(value, 4 + instr(substr(value, 4), char(9))), :key_version, :now, :origin FROM json_each(:texts)"
)
"""texts: id_type, id_number and name with tabs between, in JSON. One statement runs without Python between the rows."""

_RUN = "INSERT INTO recent_keys (first_account, documents, cards, mindexes) VALUES (?, ?, ?, ?)"
_BATCH = "INSERT INTO registrations VALUES (?, ?, ?, ?)"
_KEY = {
    "document_keys": "INSERT INTO document_keys VALUES (?, ?)",
    "card_keys": "INSERT INTO card_keys VALUES (?, ?)",
    "mindex_keys": "INSERT INTO mindex_keys VALUES (?, ?)",
}


@contextmanager
def driver(connection: Connection) -> Iterator[sqlite3.Connection]:
    """The driver's own connection of a transaction, with trouble raised as everywhere."""
    raw: Any = connection.connection.driver_connection
    try:
        yield raw
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if type(error) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
            raise  # a fault of this program
        raise unavailable(connection.engine.url.database, error) from error


class SqliteBulk:
    def __init__(self, engine: Engine, changing: Callable[[Card], None]) -> None:
        self._engine, self._changing = engine, changing
        self._recent = {table: RecentKeys(column) for column, table in LOOK_UPS.items()}
        self._merge = KeyMerge()
        self._turn = threading.Lock()  # SQLite's own queue polls: batches of one process wait here instead

    def accounts_of(self, connection: Connection, table: Table, key: int) -> Sequence[int]:
        with driver(connection) as raw:
            recent = self._recent[table.name].accounts_of(raw, key)  # before the table: keys move from here to there
            return recent + [account for (account,) in raw.execute(_ONE[table.name], (key,)) if account not in recent]

    def cards_of(self, connection: Connection, table: Table, key: int) -> Sequence[Card]:
        found = (fetch(connection, account) for account in self.accounts_of(connection, table, key))
        return [card for card in found if card]

    def register_columns(self, new: NewCardColumns, now: int, by: str) -> Done:
        keys = BatchKeys.of(new)
        with self._turn:
            return self._register(new, keys, now, by)

    def _register(self, new: NewCardColumns, keys: BatchKeys, now: int, by: str) -> Done:
        with self._engine.begin() as connection, driver(connection) as raw:
            account = self._owners(raw, keys.documents)
            parts = bulk.split(keys.documents, account)
            self._add(raw, new, keys, parts.fresh, account, now=now, by=by)
            bulk.note_rekeying(connection, account[parts.fresh])
            restore = partial(bulk.restore, connection, self._changing, now=now, by=by)
            return bulk.conclude(connection, new, parts, account, restore)

    def _owners(self, raw: sqlite3.Connection, keys: Keys) -> NDArray[np.int64]:
        """The account that has each key, 0 for none."""
        order = np.argsort(keys)
        ordered = keys[order]
        found = self._recent["document_keys"].account_of_each(raw, ordered)
        for place, account in raw.execute(_EACH, (msgspec.json.encode(ordered.tolist()).decode(),)):
            found[place] = account
        account = np.empty_like(found)
        account[order] = found
        return account

    def _add(
        self,
        raw: sqlite3.Connection,
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
        first: int = raw.execute(_NEXT).fetchone()[0]
        lengths = new.card_id_lengths[fresh]
        fresh = fresh[np.argsort(lengths, kind="stable")]
        account[fresh] = np.arange(first, first + len(fresh))
        for group in np.split(fresh, np.flatnonzero(np.diff(np.sort(lengths))) + 1):
            raw.execute(_ACCOUNTS, _parameters(new, group, int(account[group[0]]), now))
        raw.execute(_BATCH, (first, first + len(fresh) - 1, now, by))
        columns = [column[fresh] for column in (keys.documents, keys.cards, keys.mindexes)]
        if len(fresh) >= RUN_ROWS:
            raw.execute(_RUN, (first, *map(run_of, columns)))
            self._merge.step(raw, len(fresh))
            return
        for table, column in zip(LOOK_UPS.values(), columns, strict=True):
            raw.executemany(_KEY[table], zip(column.tolist(), itertools.count(first), strict=False))


def _parameters(new: NewCardColumns, rows: bulk.Rows, first: int, now: int) -> dict[str, Any]:
    """Of _ACCOUNTS, for rows with card ids of one length."""
    return {
        "first": first,
        "mindex": new.mindex[rows].tobytes(),
        "card_id": new.card_id[rows].tobytes(),
        "width": int(new.card_id_lengths[rows[0]]),
        "texts": msgspec.json.encode(_texts(new, rows)).decode(),
        "key_version": new.key_version,
        "now": now,
        "origin": new.origin,
    }


def _texts(new: NewCardColumns, rows: bulk.Rows) -> list[str]:
    """A row's three texts in one."""
    columns: list[Sequence[str]] = [new.id_type, new.id_number, new.name]
    if len(rows) < len(new):
        places = rows.tolist()
        columns = [[column[place] for place in places] for column in columns]
    texts = list(map("\t".join, zip(*columns, strict=True)))
    whole = "".join(texts)
    if whole.count("\t") != 2 * len(texts) or "\0" in whole or set(map(len, columns[0])) != {2}:
        raise InputError("a batch has texts that are not normalised: control characters, or id_type not of two digits")
    return texts
