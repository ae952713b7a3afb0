"""Batch derivation: packed rows in, mindex and card id out, one call, no Python object a row in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import KeyHandle
from ehc.errors import STATUS

Row = tuple[str | bytes, str | bytes, str | bytes]
"""(id_type, id_number, name); text is written in UTF-8, bytes are taken as they are."""

Padding = Literal["full", "minimal"]
"""△ How id_type ‖ id_number is filled with zeros: to 32 bytes, or to the next block of 16 (domain.md section 1)."""


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


def _hex_rows(rows: NDArray[np.uint8], lengths: NDArray[np.integer]) -> list[str]:
    text = _native.hex_upper(rows).decode("ascii")
    return [text[64 * i : 64 * i + 2 * length] for i, length in enumerate(lengths.tolist())]


def derive_batch(
    rows: Batch | Iterable[Row], security_key: bytes | KeyHandle, *, padding: Padding = "full"
) -> DerivedBatch:
    """Derive mindex and card id of every row (domain.md section 1) from the exact bytes given.

    rows: a Batch, or (id_type, id_number, name) tuples. security_key (安全密钥): 16 bytes or a handle.
    Normalising them first is cards.identity's work.
    A bad row is an entry of `.errors`, and the others are done. Raises ValueError for a key of another length, for
    offsets that lie outside the data and for more than 4 GiB of rows.
    """
    if padding not in ("full", "minimal"):
        raise ValueError(f"padding is 'full' or 'minimal', not {padding!r}")
    batch = rows if isinstance(rows, Batch) else Batch.pack(rows)
    mindex, card_id, status = _native.derive(security_key, batch.data, batch.offsets, batch.id_lengths)
    short = (batch.id_lengths <= 16) & (padding == "minimal")
    lengths = np.where(status != 0, 0, np.where(short, 16, 32)).astype(np.uint8)
    return DerivedBatch(mindex, card_id, _row_errors(batch.errors, status), lengths)


def _row_errors(packing: Sequence[RowError], status: NDArray[np.uint8]) -> tuple[RowError, ...]:
    reasons = {int(row): STATUS[int(status[row])] for row in np.flatnonzero(status)}
    reasons.update(packing)  # packing knows more
    return tuple(RowError(row, reasons[row]) for row in sorted(reasons))


Column = tuple[NDArray[np.uint8], NDArray[np.int32]]
"""One UTF-8 column in Arrow's layout: bytes, and n + 1 offsets into them."""


def pack_columns(id_type: Column, id_number: Column, name: Column) -> tuple[Batch, NDArray[np.intp]]:
    """Pack the rows that are canonical already; returns them, and the indices of the rows that are not.

    The batch has a row for every input row; an irregular one is empty there (and an error when derived), to be
    normalised by cards.identity and derived apart.
    """
    data, offsets, id_lengths, status = _native.pack_columns(*id_type, *id_number, *name)
    return Batch(data, offsets, id_lengths), np.flatnonzero(status)
