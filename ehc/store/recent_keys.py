"""Keys of big batches before they are in SQLite's look-up tables: one row a batch, merged in key order later.

A batch of people has random keys. Put into a large index one batch at a time, each key dirties a page of its own:
4 KiB of log for 16 bytes. So a batch's keys go, sorted, into one row (a run) of `recent_keys`; when the runs hold
enough, their keys enter the tables together, in key order, many to a page. A look-up asks the runs first, then the
table: a key leaves the runs only when it is in the table.

A run never changes, so each process keeps the runs it has read, as sorted arrays that grow by merging equals.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc.store.account_keys import Keys

LOOK_UPS = {"documents": "document_keys", "cards": "card_keys", "mindexes": "mindex_keys"}
"""Column of recent_keys -> table."""

_READ = {
    "documents": "SELECT run, first_account, documents FROM recent_keys WHERE run BETWEEN ? AND ?",
    "cards": "SELECT run, first_account, cards FROM recent_keys WHERE run BETWEEN ? AND ?",
    "mindexes": "SELECT run, first_account, mindexes FROM recent_keys WHERE run BETWEEN ? AND ?",
}
_ENTRY = 12  # bytes: a key and whose it is


class Entries(NamedTuple):
    """Sorted by key."""

    keys: Keys
    accounts: NDArray[np.int64]

    @classmethod
    def of(cls, blob: bytes, first_account: int) -> Entries:
        count = len(blob) // _ENTRY
        keys = np.frombuffer(blob, "<i8", count)
        offsets = np.frombuffer(blob, "<u4", count, 8 * count)
        return cls(keys, offsets + np.int64(first_account))

    def merged(self, other: Entries) -> Entries:
        keys = np.concatenate([self.keys, other.keys])
        order = np.argsort(keys, kind="stable")
        return Entries(keys[order], np.concatenate([self.accounts, other.accounts])[order])


def run_of(keys: Keys) -> bytes:
    """The keys of accounts first, first + 1, … as a run's column."""
    order = np.argsort(keys, kind="stable")
    return keys[order].astype("<i8").tobytes() + order.astype("<u4").tobytes()


def runs(connection: sqlite3.Connection) -> tuple[int, int]:
    """The first and the last one there is; (1, 0) for none."""
    ends = connection.execute("SELECT (SELECT min(run) FROM recent_keys), (SELECT max(run) FROM recent_keys)")
    first, last = ends.fetchone()
    return (1, 0) if first is None else (first, last)


def read(connection: sqlite3.Connection, column: str, first: int, last: int) -> Entries:
    """All of these runs in one."""
    rows = connection.execute(_READ[column], (first, last))
    parts = [Entries.of(blob, first_account) for _run, first_account, blob in rows]
    keys = np.concatenate([part.keys for part in parts])
    order = np.argsort(keys, kind="stable")
    return Entries(keys[order], np.concatenate([part.accounts for part in parts])[order])


class RecentKeys:
    """What one process has read of one column."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._state: tuple[int, int, tuple[Entries, ...]] = (1, 0, ())

    def accounts_of(self, connection: sqlite3.Connection, key: int) -> list[int]:
        found: list[int] = []
        for level in self._levels(connection):
            begin, end = np.searchsorted(level.keys, key), np.searchsorted(level.keys, key, "right")
            found += level.accounts[begin:end].tolist()
        return found

    def account_of_each(self, connection: sqlite3.Connection, keys: Keys) -> NDArray[np.int64]:
        """Row for row; 0 where there is none. Only of keys that at most one account has. Quickest when sorted."""
        accounts = np.zeros(len(keys), np.int64)
        for level in self._levels(connection):
            at = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
            hit = level.keys[at] == keys
            accounts[hit] = level.accounts[at[hit]]
        return accounts

    def _levels(self, connection: sqlite3.Connection) -> Sequence[Entries]:
        """All runs there are; threads may read the state while one replaces it."""
        first, last = runs(connection)
        known_first, known_last, known = self._state
        if (first, last) == (known_first, known_last):
            return known
        levels = list(known) if first == known_first and last > known_last else []
        begin = known_last + 1 if levels else first
        for _run, first_account, blob in connection.execute(_READ[self._column], (begin, last)):
            _push(levels, Entries.of(blob, first_account))
        self._state = (first, last, tuple(levels))
        return levels


def _push(levels: list[Entries], new: Entries) -> None:
    """As a binary counter: a level is merged with the one before while that is not the larger, so there are few."""
    if not len(new.keys):
        return
    while levels and len(levels[-1].keys) <= len(new.keys):
        new = levels.pop().merged(new)
    levels.append(new)
