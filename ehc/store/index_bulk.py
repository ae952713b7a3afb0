"""Many new records at once: rows by the driver's own quick way, keys in key order."""

from __future__ import annotations

from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ehc.crypto.columns import Texts, column_of
from ehc.index.history import Kind
from ehc.index.index_store import NewRecords
from ehc.store import bulk_postgres, bulk_sqlite
from ehc.store.bulk_postgres import copy_in
from ehc.store.copy_rows import fixed_rows, text_rows

_EVENTS = "INSERT INTO index_events VALUES"
_EVENT = "(?{0}, ?1, ?2, ?{0}, ?{1}, 0, ?3, ?{2}, ?{3})"
"""Number, person, why and body; when, kind and who are one for all rows."""
_RECORDS = (
    "INSERT INTO index_records SELECT event, person, event FROM index_events WHERE event BETWEEN ? AND ? AND kind = ?"
)
_KEYS = "INSERT INTO index_keys VALUES"
_KEY = "(?{0}, ?{1})"
_TOGETHER = 50
"""Rows that one INSERT has: each takes a third of the time of one by itself, more of them save nothing."""
_COPY_EVENTS = (
    "COPY index_events (event, at, kind, record, person, other, by, why, body) FROM STDIN WITH (FORMAT BINARY)"
)
_COPY_RECORDS = "COPY index_records (record, person, version) FROM STDIN WITH (FORMAT BINARY)"
_COPY_KEYS = "COPY index_keys (key, record) FROM STDIN WITH (FORMAT BINARY)"


def append_new(connection: Connection, new: NewRecords, at: int, by: str) -> None:
    """As IndexWriter.append_block, of the records alone."""
    if not len(new.numbers):
        return
    (_insert if connection.dialect.name == "sqlite" else _copy)(connection, new, at, by)


def _insert(connection: Connection, new: NewRecords, at: int, by: str) -> None:
    numbers, persons = new.numbers.tolist(), new.persons.tolist()
    kind = int(Kind.RECORDED)
    events = chain.from_iterable(zip(numbers, persons, new.whys, new.bodies, strict=True))
    _insert_rows(connection, _EVENTS, _EVENT, [at, kind, by], list(events), 4)
    connection.exec_driver_sql(_RECORDS, (numbers[0], numbers[-1], kind))
    _insert_rows(connection, _KEYS, _KEY, [], np.stack([new.keys, new.owners], 1).ravel().tolist(), 2)


def _insert_rows(  # noqa: PLR0917
    connection: Connection, insert: str, row: str, common: list[Any], values: list[Any], width: int
) -> None:
    """common: parameters of every row; values: the others, one row's after the other's, so many each."""
    with bulk_sqlite.driver(connection) as raw:
        for count in (_TOGETHER, 1):
            places = iter(range(len(common) + 1, len(common) + 1 + width * count))
            rows = [row.format(*islice(places, width)) for _ in range(count)]
            step = width * count
            whole = len(values) // step * step
            several = (common + values[start : start + step] for start in range(0, whole, step))
            raw.executemany(f"{insert} {', '.join(rows)}", several)
            values = values[whole:]


def _copy(connection: Connection, new: NewRecords, at: int, by: str) -> None:
    count = len(new.numbers)
    before: list[NDArray[Any]] = [
        new.numbers,
        np.full(count, at, np.int64),
        np.full(count, int(Kind.RECORDED), np.int32),
        new.numbers,
        new.persons,
        np.zeros(count, np.int64),
    ]
    bodies = Texts(*column_of(new.bodies))
    with bulk_postgres.driver(connection) as raw:
        copy_in(raw, _COPY_EVENTS, [text_rows([*before, Texts.of([by] * count), Texts.of(new.whys), bodies])])
        copy_in(raw, _COPY_RECORDS, [fixed_rows([new.numbers, new.persons, new.numbers])])
        copy_in(raw, _COPY_KEYS, [fixed_rows([new.keys, new.owners])])
