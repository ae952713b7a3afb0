"""Moving recent keys into SQLite's look-up tables, a bounded step with each batch, in its transaction.

    begin   enough keys are recent: all runs up to now are to be merged (a row of `key_merges` for each look-up)
    step    the next keys in key order go into the table; how many are done is committed with them
    end     every key of these runs is in its table: the runs are deleted

A process that is killed in between leaves a state that any other goes on from. Doing a step twice changes nothing.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import msgspec

from ehc.store.recent_keys import LOOK_UPS, Entries, read, runs

LEAST, MOST = 1 << 19, 1 << 20
"""Keys of one look-up that are recent before a merge begins: an eighth of all, within these."""

RUNS = 512
"""So many small runs are merged however few keys they hold."""

SHARE = 5
"""Keys that a step moves for each one that the batch brought: three look-ups, and some to get ahead."""

_INSERT = {
    "documents": "INSERT OR IGNORE INTO document_keys SELECT value, CAST(key AS INTEGER) FROM json_each(?)",
    "cards": "INSERT OR IGNORE INTO card_keys SELECT value, CAST(key AS INTEGER) FROM json_each(?)",
    "mindexes": "INSERT OR IGNORE INTO mindex_keys SELECT value, CAST(key AS INTEGER) FROM json_each(?)",
}
"""Of an object {account: key} in key order: one statement runs without Python between the rows."""


class _Part(NamedTuple):
    column: str
    last_run: int
    done: int


class KeyMerge:
    """One process's share of the work."""

    def __init__(self) -> None:
        self._source: tuple[str, int, Entries] | None = None

    def step(self, connection: sqlite3.Connection, brought: int) -> None:
        """With a batch that brought so many keys."""
        parts = _parts(connection) or _begin(connection)
        if not parts:
            return
        left = brought * SHARE
        for part in parts:
            left -= self._move(connection, part, left)
            if left <= 0:
                return
        _end(connection, parts[0].last_run)
        self._source = None

    def _move(self, connection: sqlite3.Connection, part: _Part, most: int) -> int:
        """How many keys this took of the share."""
        keys, accounts = self._entries(connection, part)
        moved = slice(part.done, part.done + most)
        pairs = dict(zip(accounts[moved].tolist(), keys[moved].tolist(), strict=True))
        connection.execute(_INSERT[part.column], (msgspec.json.encode(pairs).decode(),))
        done = min(moved.stop, len(keys))
        connection.execute("UPDATE key_merges SET done = ? WHERE lookup = ?", (done, part.column))
        return done - part.done

    def _entries(self, connection: sqlite3.Connection, part: _Part) -> Entries:
        if self._source is None or self._source[:2] != (part.column, part.last_run):
            self._source = (part.column, part.last_run, read(connection, part.column, 0, part.last_run))
        return self._source[2]


def _parts(connection: sqlite3.Connection) -> list[_Part]:
    found = {row[0]: _Part(*row) for row in connection.execute("SELECT lookup, last_run, done FROM key_merges")}
    return [found[column] for column in LOOK_UPS if column in found]


def _begin(connection: sqlite3.Connection) -> list[_Part]:
    first, last = runs(connection)
    if not _enough(connection, first, last):
        return []
    connection.executemany("INSERT INTO key_merges VALUES (?, ?, 0)", [(column, last) for column in LOOK_UPS])
    return _parts(connection)


def _enough(connection: sqlite3.Connection, first: int, last: int) -> bool:
    recent = connection.execute("SELECT sum(length(cards)) FROM recent_keys").fetchone()[0] or 0
    accounts = connection.execute("SELECT max(account) FROM accounts").fetchone()[0] or 0
    return last - first >= RUNS or recent // 12 >= min(max(LEAST, accounts // 8), MOST)


def _end(connection: sqlite3.Connection, last_run: int) -> None:
    connection.execute("DELETE FROM recent_keys WHERE run <= ?", (last_run,))
    connection.execute("DELETE FROM key_merges")
