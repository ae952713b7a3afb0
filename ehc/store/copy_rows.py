"""Rows as PostgreSQL's COPY reads them in binary, many at once.

A row is the count of its fields (2 bytes) and each field as its length (4 bytes) and value, all big-endian. Rows whose
texts have the same lengths have the same shape, so they are written as one numpy array; their order among each other
is kept, that of rows of other shapes is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

Cut = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Rows of bytes, and how many of each count."""


def fixed_rows(columns: Sequence[NDArray[Any]]) -> bytes:
    """Columns of whole numbers, as wide as their types; or of bytes, [n, width]."""
    return _table([_cell(column) for column in columns])


def text_rows(
    before: Sequence[NDArray[Any] | Cut], texts: Sequence[Sequence[str]], after: Sequence[NDArray[Any]]
) -> list[bytes]:
    """The fields before the texts, the texts, the fields after them."""
    encoded = [[text.encode() for text in column] for column in texts]
    lengths = [np.fromiter(map(len, column), np.int64, len(column)) for column in encoded]
    lengths += [column[1].astype(np.int64) for column in before if isinstance(column, tuple)]
    parts = []
    for rows in _of_one_shape(lengths):
        cells = [_cut(column, rows) if isinstance(column, tuple) else _cell(column[rows]) for column in before]
        cells += [_texts(column, rows) for column in encoded]
        parts.append(_table(cells + [_cell(column[rows]) for column in after]))
    return parts


def _of_one_shape(lengths: Sequence[NDArray[np.int64]]) -> list[NDArray[np.intp]]:
    """Groups of rows that are alike in every length."""
    shape = np.zeros(len(lengths[0]), np.int64)
    for column in lengths:
        shape = shape * (int(column.max(initial=0)) + 1) + column
    order = np.argsort(shape, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(shape[order])) + 1)


Cell = tuple[np.dtype[Any], NDArray[Any]]


def _cell(column: NDArray[Any]) -> Cell:
    if column.ndim == 2:
        return np.dtype((np.void, column.shape[1])), np.ascontiguousarray(column).view((np.void, column.shape[1]))[:, 0]
    return column.dtype.newbyteorder(">"), column


def _cut(column: Cut, rows: NDArray[np.intp]) -> Cell:
    return _cell(column[0][rows, : int(column[1][rows[0]])])


def _texts(column: Sequence[bytes], rows: NDArray[np.intp]) -> Cell:
    width = len(column[rows[0]])
    data = b"".join([column[row] for row in rows.tolist()])
    return np.dtype((np.void, width)), np.frombuffer(data, np.dtype((np.void, width)) if width else np.void)


def _table(cells: Sequence[Cell]) -> bytes:
    fields: list[tuple[str, Any]] = [("count", ">i2")]
    for number, (dtype, _) in enumerate(cells):
        fields += [(f"length{number}", ">i4"), (f"value{number}", dtype)]
    table = np.zeros(len(cells[0][1]), np.dtype(fields))
    table["count"] = len(cells)
    for number, (dtype, values) in enumerate(cells):
        table[f"length{number}"], table[f"value{number}"] = dtype.itemsize, values
    return table.tobytes()
