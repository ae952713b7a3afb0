"""Rows as PostgreSQL's COPY reads them in binary, many at once.

A row is the count of its fields (2 bytes) and each field as its length (4 bytes, -1 for NULL) and value, all
big-endian. Rows whose fields have the same lengths have the same shape, so they are written as one numpy array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.columns import Texts

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

Cut = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Rows of bytes, and how many of each count."""


class OrNull(NamedTuple):
    """Whole numbers; 0 is NULL."""

    values: NDArray[Any]


ShapedColumn = NDArray[Any] | Cut | Texts | OrNull


def fixed_rows(columns: Sequence[NDArray[Any]]) -> bytes:
    """Columns of whole numbers, as wide as their types; or of bytes, [n, width]."""
    return _table([_cell(column) for column in columns]).tobytes()


def text_rows(columns: Sequence[ShapedColumn]) -> bytes:
    """In their order."""
    groups = _of_one_shape([found for column in columns if (found := _lengths(column)) is not None])
    tables = [_table([_of_rows(column, rows) for column in columns]) for rows in groups]
    if len(tables) == 1:
        return tables[0].tobytes()
    ordered = np.empty(sum(map(len, groups)), object)
    for rows, table in zip(groups, tables, strict=True):
        ordered[rows] = table.view((np.void, table.dtype.itemsize)).tolist()
    return b"".join(ordered.tolist())


def _lengths(column: ShapedColumn) -> NDArray[np.int64] | None:
    """What of a column makes a row's shape."""
    if isinstance(column, Texts):
        return column.lengths
    if isinstance(column, OrNull):
        return np.where(column.values == 0, 0, 1)
    return column[1].astype(np.int64) if isinstance(column, tuple) else None


def _of_one_shape(lengths: Sequence[NDArray[np.int64]]) -> list[NDArray[np.intp]]:
    """Groups of rows that are alike in every length."""
    shape = np.zeros(len(lengths[0]), np.int64)
    for column in lengths:
        shape = shape * (int(column.max(initial=0)) + 1) + column
    order = np.argsort(shape, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(shape[order])) + 1)


Cell = tuple[np.dtype[Any], NDArray[Any] | None]
"""None: NULL in every row."""

_NOTHING = np.dtype((np.void, 0))


def _of_rows(column: ShapedColumn, rows: NDArray[np.intp]) -> Cell:
    """Rows of one shape."""
    if isinstance(column, Texts):
        return _cell(column.table(rows))
    if isinstance(column, OrNull):
        return _cell(column.values[rows]) if column.values[rows[0]] else (_NOTHING, None)
    if isinstance(column, tuple):
        return _cell(column[0][rows, : int(column[1][rows[0]])])
    return _cell(column[rows])


def _cell(column: NDArray[Any]) -> Cell:
    if column.ndim == 1:
        return column.dtype.newbyteorder(">"), column
    width = np.dtype((np.void, column.shape[1]))
    if not width.itemsize:
        return width, np.zeros(len(column), width)
    return width, np.ascontiguousarray(column).view(width)[:, 0]


def _table(cells: Sequence[Cell]) -> NDArray[Any]:
    fields: list[tuple[str, Any]] = [("count", ">i2")]
    for number, (dtype, _) in enumerate(cells):
        fields += [(f"length{number}", ">i4"), (f"value{number}", dtype)]
    rows = next(len(values) for _, values in cells if values is not None)
    table = np.zeros(rows, np.dtype(fields))
    table["count"] = len(cells)
    for number, (dtype, values) in enumerate(cells):
        table[f"length{number}"] = -1 if values is None else dtype.itemsize
        if dtype.itemsize:
            table[f"value{number}"] = values
    return table
