"""Cards for many people at once: three columns of raw text in, mindex and card id out, refused rows named.

Rows that are canonical already are packed by the compiled core, without a Python object a row; the others are
normalised one by one, derived as a second batch and put in their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc.cards.identity import encode, normalise
from ehc.crypto import pack_columns
from ehc.crypto.batch import Padding
from ehc.crypto.columns import Column
from ehc.errors import IdentityError
from ehc.model import Identity
from ehc.ports import KeyService

FIELDS = ("id_type", "id_number", "name")


class RefusedRow(NamedTuple):
    """A row that gets no card."""

    row: int  # from 0
    field: str  # one of FIELDS
    reason: str  # holds no personal data


class PersonColumns(NamedTuple):
    """People as three columns of equal length, in Arrow's layout: the bytes as they came, meant to be UTF-8."""

    id_type: Column
    id_number: Column
    name: Column


@dataclass(frozen=True, slots=True, eq=False)
class Issued:
    """The cards of n rows, row for row; a refused row is all zeros, of length 0."""

    mindex: NDArray[np.uint8]  # [n, 32] 主索引ID
    card_id: NDArray[np.uint8]  # [n, 32] 电子健康卡ID
    card_id_lengths: NDArray[np.uint8]  # [n] bytes of card_id that count: 32; 16 under minimal padding; 0 refused
    refused: tuple[RefusedRow, ...]  # in the order of the rows
    normalised: Mapping[int, Identity] = field(default_factory=dict)  # row -> what was hashed, where it is not the text


def issue(people: PersonColumns, keys: KeyService, padding: Padding = "full", version: int | None = None) -> Issued:
    """Normalise and derive every row under this version of the security key, None for the active one. Raises
    KeyUnavailable."""
    batch, irregular = pack_columns(*people)
    cards = keys.derive_batch(batch, version=version, padding=padding)
    mindex, card_id, lengths = cards.mindex, cards.card_id, cards.card_id_lengths
    normalised, refused = _normalise_rows(people, irregular)
    if normalised:
        rows = np.fromiter(normalised, np.intp, len(normalised))
        late = keys.derive_batch(encode(normalised.values()), version=version, padding=padding)
        mindex[rows], card_id[rows], lengths[rows] = late.mindex, late.card_id, late.card_id_lengths
    kept = {row: one for row, one in normalised.items() if lengths[row]}
    return Issued(mindex, card_id, lengths, _all_refused(lengths, refused), kept)


def _all_refused(lengths: NDArray[np.uint8], refused: list[RefusedRow]) -> tuple[RefusedRow, ...]:
    """Every row without a card, in order: also one that only the machine refused is named, never lost."""
    known = {one.row: one for one in refused}
    return tuple(
        known.get(row) or RefusedRow(row, "id_number", "refused by the crypto machine")
        for row in np.flatnonzero(lengths == 0).tolist()
    )


def _normalise_rows(people: PersonColumns, rows: NDArray[np.intp]) -> tuple[dict[int, Identity], list[RefusedRow]]:
    normalised, refused = {}, []
    for row in rows.tolist():
        try:
            id_type, id_number, name = (_text(field, column, row) for field, column in zip(FIELDS, people, strict=True))
            normalised[row] = normalise(id_type, id_number, name)
        except IdentityError as error:
            refused.append(RefusedRow(row, error.field, error.reason))
    return normalised, refused


def _text(field: str, column: Column, row: int) -> str:
    data, offsets = column
    cell = data[offsets[row] : offsets[row + 1]].tobytes()
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IdentityError(
            field,
            f"byte {error.start + 1} of the field (0x{cell[error.start]:02X}) is not UTF-8; "
            "is the text GBK or GB18030? (--encoding gb18030)",
        ) from None
