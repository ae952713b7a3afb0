"""Many new records at once: rows by the driver's own quick way, keys in key order."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ehc.crypto.columns import Texts, column_of
from ehc.index.history import Kind
from ehc.index.index_store import NewRecords
from ehc.store.bulk_postgres import copy_in, driver
from ehc.store.copy_rows import fixed_rows, text_rows

_EVENTS = "INSERT INTO index_events VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)"
_RECORDS = "INSERT INTO index_records VALUES (?, ?, ?)"
_KEYS = "INSERT INTO index_keys VALUES (?, ?)"
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
    kind = repeat(int(Kind.RECORDED))
    events = zip(numbers, repeat(at), kind, numbers, persons, repeat(by), new.whys, new.bodies, strict=False)
    connection.exec_driver_sql(_EVENTS, list(events))
    connection.exec_driver_sql(_RECORDS, list(zip(numbers, persons, numbers, strict=True)))
    connection.exec_driver_sql(_KEYS, list(zip(new.keys.tolist(), new.owners.tolist(), strict=True)))


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
    with driver(connection) as raw:
        copy_in(raw, _COPY_EVENTS, [text_rows([*before, Texts.of([by] * count), Texts.of(new.whys), bodies])])
        copy_in(raw, _COPY_RECORDS, [fixed_rows([new.numbers, new.persons, new.numbers])])
        copy_in(raw, _COPY_KEYS, [fixed_rows([new.keys, new.owners])])
