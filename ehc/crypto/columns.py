"""Text columns as Arrow lays them out, from any library that speaks Arrow, without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ehc import _native

Column = tuple[NDArray[np.uint8], NDArray[np.int32]]
"""One UTF-8 column in Arrow's layout: bytes, and n + 1 offsets into them."""


def column_of(cells: Sequence[bytes]) -> Column:
    """Cells as such a column."""
    offsets = np.zeros(len(cells) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, cells), np.int32, len(cells)), out=offsets[1:])
    return np.frombuffer(b"".join(cells), np.uint8), offsets


class ArrowArray(Protocol):
    """What speaks Arrow's C data interface: an array of pyarrow, nanoarrow, …"""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


TextColumn = Column | ArrowArray


def buffers(field: str, column: TextColumn) -> tuple[Column, NDArray[np.intp]]:
    """The buffers of a text column, and the rows that are null. Raises ValueError that names the field."""
    if isinstance(column, tuple):
        return column, np.empty(0, np.intp)
    if not hasattr(column, "__arrow_c_array__"):
        raise ValueError(
            f"{field}: an Arrow array or (bytes, offsets) wanted, not {type(column).__name__}; "
            "a chunked column goes in chunk by chunk"
        )
    found = _native.arrow_text(column)
    if found is None:
        raise ValueError(f"{field}: an Arrow array of utf8 or binary wanted; cast it to one")
    data, offsets, bits, first = found
    return _narrow(field, data, offsets), _nulls(bits, first, len(offsets) - 1)


def _narrow(field: str, data: NDArray[np.uint8], offsets: NDArray[np.signedinteger[Any]]) -> Column:
    """Offsets of 32 bits; the large types have some of 64."""
    if offsets.dtype == np.int32:
        return data, offsets.view(np.int32)
    begin, end = int(offsets[0]), int(offsets[-1])
    if end - begin > np.iinfo(np.int32).max:
        raise ValueError(f"{field}: {end - begin:,} bytes of text; at most 2 GiB fit: split it")
    return data[begin:end], (offsets - begin).astype(np.int32)


def _nulls(bits: NDArray[np.uint8] | None, first: int, rows: int) -> NDArray[np.intp]:
    if bits is None:
        return np.empty(0, np.intp)
    valid = np.unpackbits(bits, bitorder="little")[first : first + rows]
    return np.flatnonzero(valid == 0)
