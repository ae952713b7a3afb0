"""The narrow keys that find an account: 8 bytes of a document, a mindex or a card id.

A key is a short cut, never the proof: whoever finds an account by it compares the full value.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.columns import Texts

Keys = NDArray[np.int64]

_SIGN = 1 << 63
_RESIDENT_ID = "01"
_RESIDENT_CELL = np.frombuffer(_RESIDENT_ID.encode(), np.uint8)
_WEIGHTS = 10 ** np.arange(16, -1, -1, dtype=np.int64)


def document_key(id_type: str, id_number: str) -> int:
    """A resident id's first 17 digits are its key, so the people of one region stand together in the index; any other
    document has a negative one, of a hash."""
    if id_type == _RESIDENT_ID and len(id_number) == 18 and id_number.isascii() and id_number[:17].isdigit():
        return int(id_number[:17])
    return -1 - (_hash(f"{id_type}{id_number}".encode()) >> 1)


def mindex_key(mindex: bytes) -> int:
    return int.from_bytes(mindex[:8], "big", signed=True)


def card_key(card_id: str) -> int:
    """card_id: hex digits. Derived ones are random already; a legacy one may begin like all its neighbours."""
    if len(card_id) in (32, 64):
        return (int(card_id[:16], 16) ^ _SIGN) - _SIGN
    return _hash(card_id.encode()) - _SIGN


def key_of_bytes(card_id: bytes) -> int:
    """card_key, of a card id as its account holds it."""
    return mindex_key(card_id) if len(card_id) in (16, 32) else card_key(card_id.hex().upper())


def document_keys(id_types: Sequence[str], id_numbers: Sequence[str]) -> Keys:
    """document_key, row for row."""
    numbers, types = Texts.of(id_numbers), Texts.of(id_types)
    of_one_kind = (numbers.lengths == 18).all() and (types.lengths == 2).all()
    if len(numbers) and of_one_kind and (types.table() == _RESIDENT_CELL).all():
        digits = numbers.table()[:, :17]
        if digits.min(initial=48) >= 48 and digits.max(initial=57) <= 57:
            return (digits - np.uint8(48)).astype(np.int64) @ _WEIGHTS
    return np.fromiter(map(document_key, id_types, id_numbers), np.int64, len(id_numbers))


def prefix_keys(rows: NDArray[np.uint8]) -> Keys:
    """mindex_key, or card_key of a derived card id, of rows [n, 32]."""
    return np.ascontiguousarray(rows[:, :8]).view(">i8")[:, 0].astype(np.int64)


def keys_of(card_ids: NDArray[np.uint8], lengths: NDArray[np.integer[Any]]) -> Keys:
    """key_of_bytes, of rows [n, width] that are so long."""
    if ((lengths == 32) | (lengths == 16)).all() and len(lengths):
        return prefix_keys(card_ids)
    given = zip(card_ids, lengths.tolist(), strict=True)
    return np.fromiter((key_of_bytes(row[:length].tobytes()) for row, length in given), np.int64, len(lengths))


def _hash(value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=8).digest(), "big")
