"""Batch derivation: packed rows in, mindex and card id out, one call, no Python object a row in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import KeyHandle
from ehc.crypto.columns import Column, TextColumn, buffers
from ehc.errors import STATUS

Row = tuple[str | bytes, str | bytes, str | bytes]
"""(id_type, id_number, name); text is written in UTF-8, bytes are taken as they are."""

Padding = Literal["full", "minimal"]
"""△ How id_type ‖ id_number is filled with zeros: to 32 bytes, or to the next block of 16."""


class RowError(NamedTuple):
    """A row that was not derived, and why."""

    row: int  # from 0
    reason: str  # names the field; holds no personal data


class HexColumns(NamedTuple):
    """Upper-case hex, one string a row; '' for a row in error."""

    mindex: list[str]  # 64 digits
    card_id: list[str]  # 64 digits; 32 under minimal padding with an id of at most 16 bytes


def _exact(field: str, values: NDArray[Any], dtype: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    array = np.ascontiguousarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "ui"):
        raise ValueError(f"{field}: a row of whole numbers wanted, not {array.ndim} dimensions of {array.dtype}")
    if array.dtype != dtype and array.size and not 0 <= array.min() <= array.max() <= np.iinfo(dtype).max:
        raise ValueError(f"{field}: holds {array.min()} to {array.max()}; at most {np.iinfo(dtype).max} fits")
    return array.astype(dtype, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows id_type ‖ id_number ‖ name, packed.

    Row i is data[offsets[i]:offsets[i+1]], of which the first id_lengths[i] bytes are id_type ‖ id_number: the mindex
    hashes the whole row, the card id encrypts that first part.
    """

    data: NDArray[np.uint8]  # [total], at most 4 GiB
    offsets: NDArray[np.uint32]  # [n + 1]
    id_lengths: NDArray[np.uint8]  # [n]
    errors: tuple[RowError, ...] = ()  # rows that could not be packed

    def __post_init__(self) -> None:
        # C-contiguous arrays of the kernel's types; a number that does not fit is refused, never wrapped
        for field, dtype in (("data", np.uint8), ("offsets", np.uint32), ("id_lengths", np.uint8)):
            object.__setattr__(self, field, _exact(field, getattr(self, field), dtype))

    @classmethod
    def pack(cls, rows: Iterable[Row]) -> Batch:
        """Pack (id_type, id_number, name) tuples, exactly as given; a row that is not text becomes an error."""
        data, offsets, id_lengths, errors = _native.pack_rows(rows)
        return cls(data, offsets, id_lengths, tuple(RowError(row, reason) for row, reason in errors))

    @classmethod
    def from_columns(cls, id_type: TextColumn, id_number: TextColumn, name: TextColumn) -> Batch:
        """Pack three columns exactly as they are, without a Python object a row; a row with a null is an error.

        A column is an array of text or bytes of any library that speaks Arrow's C data interface (pyarrow, nanoarrow,
        …), or the pair of its buffers. Raises ValueError for columns of other types or of unequal length.
        """
        columns = {"id_type": id_type, "id_number": id_number, "name": name}
        found = {field: buffers(field, column) for field, column in columns.items()}
        data, offsets, id_lengths = _native.join_columns(*(part for column, _ in found.values() for part in column))
        null = {row: f"{field} is null" for field, (_, rows) in found.items() for row in rows.tolist()}
        id_lengths[list(null)] = 0  # refused, whatever stands under a null
        return cls(data, offsets, id_lengths, tuple(RowError(row, null[row]) for row in sorted(null)))

    def __len__(self) -> int:
        return len(self.id_lengths)


@dataclass(frozen=True, slots=True, eq=False)
class DerivedBatch:
    """The cards of a batch, row for row; a row in error is all zeros and named in `errors`."""

    mindex: NDArray[np.uint8]  # [n, 32] 主索引ID
    card_id: NDArray[np.uint8]  # [n, 32] 电子健康卡ID of full padding
    errors: tuple[RowError, ...]
    card_id_lengths: NDArray[np.uint8]  # [n] bytes of card_id that count: 32; 16 under minimal padding; 0 in error

    def __len__(self) -> int:
        return len(self.mindex)

    def hex(self) -> HexColumns:
        """Both columns as upper-case hex strings."""
        return HexColumns(
            _hex_rows(self.mindex, np.where(self.card_id_lengths > 0, 32, 0)),
            _hex_rows(self.card_id, self.card_id_lengths),
        )


def hex_digits(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Upper-case hex of rows [n, w] as ASCII digits [n, 2w], without a Python object a row; read-only."""
    text = _native.hex_upper(np.ascontiguousarray(rows))
    return np.frombuffer(text, np.uint8).reshape(len(rows), 2 * rows.shape[1])


def card_lines(
    lines: NDArray[np.int64],
    mindex: NDArray[np.uint8] | None,
    card_id: NDArray[np.uint8],
    card_id_lengths: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """CSV lines "number,mindex,card_id" of rows [n, 32] as one text, without a Python object a row; mindex None leaves
    it out. A row of length 0 has no line."""
    return _native.card_lines(lines, mindex, card_id, card_id_lengths)


def _hex_rows(rows: NDArray[np.uint8], lengths: NDArray[np.integer]) -> list[str]:
    text = _native.hex_upper(rows).decode("ascii")
    return [text[64 * i : 64 * i + 2 * length] for i, length in enumerate(lengths.tolist())]


def derive_batch(
    rows: Batch | Iterable[Row],
    security_key: bytes | KeyHandle,
    *,
    padding: Padding = "full",
    threads: int | None = None,
    out: DerivedBatch | None = None,
) -> DerivedBatch:
    """Derive mindex and card id of every row (native/README.md, "Identifiers") from the exact bytes given.

    rows: a Batch, or (id_type, id_number, name) tuples. security_key (安全密钥): 16 bytes or a handle.
    threads: how many share a large batch (None: 1); the answer is the same.
    out: an earlier answer for as many rows, which is done with: the cards are written over its own. Memory that the
    system hands out anew takes a part of the time, and threads wait for each other there.
    Normalising them first is cards.identity's work.
    A bad row is an entry of `.errors`, and the others are done. Raises ValueError for a key of another length, for
    offsets that lie outside the data, for more than 4 GiB of rows, and for an `out` of another number of them.
    """
    _require(padding)
    if isinstance(rows, list) and len(rows) <= _FEW and out is None:
        mindex, card_id, status, bad, id_lengths, packing = _native.derive_rows(security_key, rows)
        return DerivedBatch(
            mindex, card_id, _row_errors(packing, status) if bad else (), _lengths(id_lengths, status, bad, padding)
        )
    batch = rows if isinstance(rows, Batch) else Batch.pack(rows)
    key = security_key if isinstance(security_key, KeyHandle) else KeyHandle(security_key)
    mindex, card_id, status = _results(len(batch)) if out is None else _over(out, len(batch))
    bad = _in_parts(threads, batch, partial(_native.derive, key), mindex, card_id, status)
    errors = _row_errors(batch.errors, status) if bad else ()
    return DerivedBatch(mindex, card_id, errors, _lengths(batch.id_lengths, status, bad, padding))


def sm3_lines(text: bytes) -> NDArray[np.uint8]:
    """SM3 of each line, its newline included: [n, 32]. The first three characters of a line are printable ASCII.

    The lanes that derive cards do it: a row's mindex is SM3 over all of it. The card ids that they make besides, under
    a key of zeros, cost less than a kernel for this alone would be worth, and are thrown away. Raises ValueError for a
    line that begins otherwise, and for a last one without a newline.
    """
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == _NEWLINE) + 1
    offsets = np.zeros(len(ends) + 1, np.uint32)
    offsets[1:] = ends
    if offsets[-1] != len(data):
        raise ValueError("the last line has no newline")
    derived = derive_batch(Batch(data, offsets, np.full(len(ends), 3, np.uint8)), _ZEROS)
    if derived.errors:
        raise ValueError(f"line {derived.errors[0].row}: its first three characters are not all printable ASCII")
    return derived.mindex


_NEWLINE = 10
_ZEROS = KeyHandle(bytes(16))
_FEW = 64  # rows for which an array for each step in between would cost more than the cards
_PART = 1 << 14  # rows: a millisecond or two, so that no thread waits long for another


def _results(n: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    # one allocation: from 4 MiB on numpy asks for large pages, and small ones would cost as much time as the cards
    both = np.empty((2, n, 32), np.uint8)
    return both[0], both[1], np.empty(n, np.uint8)


def _over(out: DerivedBatch, n: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    if len(out) != n:
        raise ValueError(f"out has {len(out)} rows for {n}")
    return out.mindex, out.card_id, np.empty(n, np.uint8)


def _in_parts(threads: int | None, batch: Batch, work: Callable[..., int], *results: NDArray[np.uint8]) -> int:
    """Call work(data, offsets, id_lengths, *results, begin, end) for all rows, on that many threads; returns the sum of
    what it returns."""
    if threads is not None and threads < 1:
        raise ValueError(f"threads is at least 1, not {threads}")
    _native.check_rows(batch.data, batch.offsets, batch.id_lengths)
    arrays = (batch.data, batch.offsets, batch.id_lengths, *results)
    parts = range(0, len(batch), _PART)
    if threads is None or threads == 1 or len(parts) < 2:
        return work(*arrays, 0, len(batch))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  a hundredth of a second that few calls need

    with ThreadPoolExecutor(min(threads, len(parts)), "ehc-derive") as pool:
        return sum(pool.map(lambda begin: work(*arrays, begin, min(begin + _PART, len(batch))), parts))


def _require(padding: Padding) -> None:
    if padding not in ("full", "minimal"):
        raise ValueError(f"padding is 'full' or 'minimal', not {padding!r}")


def _lengths(id_lengths: NDArray[np.uint8], status: NDArray[np.uint8], bad: int, padding: Padding) -> NDArray[np.uint8]:
    """How many bytes of each card id count."""
    if padding == "full":
        lengths = np.full(len(status), 32, np.uint8)
    else:
        lengths = np.where(id_lengths <= 16, np.uint8(16), np.uint8(32))
    if bad:
        lengths[status != 0] = 0
    return lengths


def _row_errors(packing: Sequence[tuple[int, str]], status: NDArray[np.uint8]) -> tuple[RowError, ...]:
    reasons = {int(row): STATUS[int(status[row])] for row in np.flatnonzero(status)}
    reasons.update(packing)  # packing knows more
    return tuple(RowError(row, reasons[row]) for row in sorted(reasons))


@dataclass(frozen=True, slots=True, eq=False)
class RekeyedBatch:
    """Card ids of a batch under two security keys, row for row; a row in error is all zeros and named in `errors`."""

    old_card_id: NDArray[np.uint8]  # [n, 32]
    new_card_id: NDArray[np.uint8]  # [n, 32]
    errors: tuple[RowError, ...]
    card_id_lengths: NDArray[np.uint8]  # [n] as of DerivedBatch

    def __len__(self) -> int:
        return len(self.old_card_id)


def rekey_batch(
    rows: Batch | Iterable[Row],
    old_key: bytes | KeyHandle,
    new_key: bytes | KeyHandle,
    *,
    padding: Padding = "full",
    threads: int | None = None,
) -> RekeyedBatch:
    """The card ids that derive_batch gives under either key, of all rows in one pass, without the mindex."""
    _require(padding)
    batch = rows if isinstance(rows, Batch) else Batch.pack(rows)
    old, new = (key if isinstance(key, KeyHandle) else KeyHandle(key) for key in (old_key, new_key))
    old_ids, new_ids, status = _results(len(batch))
    bad = _in_parts(threads, batch, partial(_native.rekey, old, new), old_ids, new_ids, status)
    errors = _row_errors(batch.errors, status) if bad else ()
    return RekeyedBatch(old_ids, new_ids, errors, _lengths(batch.id_lengths, status, bad, padding))


def pack_columns(id_type: Column, id_number: Column, name: Column) -> tuple[Batch, NDArray[np.intp]]:
    """Pack the rows that are canonical already; returns them, and the indices of the rows that are not.

    The batch has a row for every input row; an irregular one is empty there (and an error when derived), to be
    normalised by cards.identity and derived apart.
    """
    data, offsets, id_lengths, status = _native.pack_columns(*id_type, *id_number, *name)
    return Batch(data, offsets, id_lengths), np.flatnonzero(status)
