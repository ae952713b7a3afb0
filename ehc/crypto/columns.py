"""Text columns as Arrow lays them out, from any library that speaks Arrow, without a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, overload

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


class Texts(Sequence[str]):
    """A text column as a sequence of str: what looks at whole columns takes its buffers, and no cell is made a Python
    object before somebody asks for one. All cells are UTF-8."""

    __slots__ = ("_cells", "data", "offsets")

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int32]) -> None:
        self.data, self.offsets = data, offsets
        self._cells: list[str] | None = None

    @classmethod
    def of(cls, cells: Sequence[str]) -> Texts:
        return cells if isinstance(cells, cls) else cls(*column_of([cell.encode() for cell in cells]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Texts: ...
    def __getitem__(self, row: int | slice) -> str | Texts:
        if isinstance(row, slice):
            begin, end, _ = row.indices(len(self))
            return Texts(self.data, self.offsets[begin : end + 1])
        return self.tolist()[row]

    def ascending(self) -> bool:
        """Whether each cell is known to be greater than the one before: where widths differ nobody looks."""
        if not (width := self._width()):
            return False
        cells: NDArray[np.bytes_] = np.ascontiguousarray(self.table()).view(f"S{width}")[:, 0]
        return bool((cells[1:] > cells[:-1]).all())

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    def tolist(self) -> list[str]:
        if self._cells is None:
            starts, ends = self.offsets[:-1].tolist(), self.offsets[1:].tolist()
            data = self.data.tobytes()
            if data.isascii():
                text = data.decode("ascii")
                self._cells = [text[start:end] for start, end in zip(starts, ends, strict=True)]
            else:
                self._cells = [data[start:end].decode() for start, end in zip(starts, ends, strict=True)]
        return self._cells

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each."""
        return np.diff(self.offsets).astype(np.int64)

    def _width(self) -> int | None:
        """Bytes of every cell, where there are cells and all have as many."""
        lengths = np.diff(self.offsets)
        return int(lengths[0]) if len(lengths) and (lengths == lengths[0]).all() else None

    def rows(self, rows: NDArray[np.intp]) -> Texts:
        """These alone, in their order."""
        if (width := self._width()) is not None:
            return Texts(self.table()[rows].reshape(-1), np.arange(len(rows) + 1, dtype=np.int32) * np.int32(width))
        starts, lengths = self.offsets[:-1][rows].astype(np.int64), self.lengths[rows]
        offsets = np.zeros(len(rows) + 1, np.int32)
        np.cumsum(lengths, out=offsets[1:])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Texts(self.data[places], offsets)

    def table(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.uint8]:
        """uint8[n, width]: these cells, or all, which have one length."""
        if (width := self._width()) is not None:
            whole: NDArray[np.uint8] = self.data[self.offsets[0] : self.offsets[-1]].reshape(len(self), width)
            return whole if rows is None else whole[rows]
        rows = np.arange(len(self)) if rows is None else rows
        width = int(self.lengths[rows[0]]) if len(rows) else 0
        found: NDArray[np.uint8] = self.data[self.offsets[:-1][rows, np.newaxis] + np.arange(width, dtype=np.int32)]
        return found


class Coded(Sequence[str]):
    """A text column in which few different texts stand: those, and for each row which of them."""

    __slots__ = ("codes", "values")

    def __init__(self, values: Sequence[str], codes: NDArray[np.intp]) -> None:
        self.values, self.codes = values, codes

    @classmethod
    def of(cls, cells: Sequence[str]) -> Coded:
        if isinstance(cells, cls):
            return cells
        places = {text: place for place, text in enumerate(dict.fromkeys(cells))}
        return cls(list(places), np.fromiter(map(places.__getitem__, cells), np.intp, len(cells)))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Coded: ...
    def __getitem__(self, row: int | slice) -> str | Coded:
        return Coded(self.values, self.codes[row]) if isinstance(row, slice) else self.values[self.codes[row]]

    def __iter__(self) -> Iterator[str]:
        return map(self.values.__getitem__, self.codes.tolist())

    def rows(self, rows: NDArray[np.intp]) -> Coded:
        return Coded(self.values, self.codes[rows])

    def texts(self) -> Texts:
        return Texts.of(self.values).rows(self.codes)
