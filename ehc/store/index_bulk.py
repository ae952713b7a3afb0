"""Many new records at once: rows by the driver's own quick way, keys in key order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from ehc.index.history import Kind
from ehc.index.index_store import NewRecord
from ehc.store.bulk_postgres import driver
from ehc.store.index_rows import encode

_SQLITE = (
    "INSERT INTO index_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO index_records VALUES (?, ?, ?)",
    "INSERT INTO index_keys VALUES (?, ?)",
)
_POSTGRES = ("COPY index_events FROM STDIN", "COPY index_records FROM STDIN", "COPY index_keys FROM STDIN")
Rows = list[tuple[Any, ...]]


def append_new(connection: Connection, rows: Sequence[NewRecord], numbers: range, at: int, by: str) -> None:
    """As IndexWriter.append_new, under these numbers."""
    if not rows:
        return
    persons = _persons(rows, numbers)
    kind = int(Kind.RECORDED)
    events = [
        (number, at, kind, number, person, 0, by, row.why, encode(row.body))
        for row, number, person in zip(rows, numbers, persons, strict=True)
    ]
    records = [(number, person, number) for number, person in zip(numbers, persons, strict=True)]
    tables: tuple[Rows, ...] = (events, records, _keys(rows, numbers))
    if connection.dialect.name == "sqlite":
        for statement, table in zip(_SQLITE, tables, strict=True):
            connection.exec_driver_sql(statement, table)
    else:
        _copy(connection, tables)


def _persons(rows: Sequence[NewRecord], numbers: range) -> list[int]:
    """Of a row that joins another of the batch, the one where that is."""
    persons: list[int] = []
    for row, number in zip(rows, numbers, strict=True):
        joined = row.person
        persons.append(number if joined is None else joined if joined >= 0 else persons[-joined - 1])
    return persons


def _keys(rows: Sequence[NewRecord], numbers: range) -> Rows:
    """In key order, each once."""
    counts = np.fromiter((len(row.keys) for row in rows), np.int64, len(rows))
    keys = np.fromiter((key for row in rows for key in row.keys), np.int64, int(counts.sum()))
    records = np.repeat(np.arange(numbers.start, numbers.stop), counts)
    order = np.lexsort((records, keys))
    keys, records = keys[order], records[order]
    first = np.ones(len(keys), bool)
    first[1:] = (keys[1:] != keys[:-1]) | (records[1:] != records[:-1])
    return list(zip(keys[first].tolist(), records[first].tolist(), strict=True))


def _copy(connection: Connection, tables: Iterable[Rows]) -> None:
    with driver(connection) as raw, raw.cursor() as cursor:
        for statement, table in zip(_POSTGRES, tables, strict=True):
            with cursor.copy(statement) as copy:
                for row in table:
                    copy.write_row(row)
