"""Columns of text in a Parquet file: what they may hold, and how they are read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ehc.errors import FileError


def repeating(metadata: pq.FileMetaData, titles: set[str]) -> list[str]:
    """Those of these columns that are dictionaries all through, since a text by itself takes four bytes for its length
    alone. Such a column costs half when it is read as it lies and spread afterwards."""
    sizes = dict.fromkeys(titles, 0)
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in sizes:
                sizes[column.path_in_schema] += column.total_uncompressed_size - 4 * column.num_values
    return [title for title, size in sizes.items() if size < 0]


def require_text(kind: pa.DataType, where: str) -> None:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests: list[Any] = [pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null]
    tests += [pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view]
    if not any(test(plain) for test in tests):
        raise FileError(f"{where} holds {kind}: text is wanted (numbers lose leading zeros, X and digits)")


def binary_of(array: pa.Array) -> pa.Array:
    """Cells as bytes; a missing one is empty."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = array.view(pa.binary()) if pa.types.is_string(array.type) else array.cast(pa.binary())
    return array.fill_null(b"") if array.null_count else array
