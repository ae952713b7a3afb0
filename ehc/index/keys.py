"""Keys that find a record: of its identifiers, and of what records of one person mostly share (blocking).

A key is the first 64 bits of SM3 over the line that says what it stands for. It may by chance be another's: the full
value decides, always.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ehc.crypto import sm3, sm3_lines
from ehc.index.names import latin
from ehc.index.record import Record

BLOCKS = ("name+birth", "phone+pinyin", "birth+mother", "birth+phone", "number", "name+address")
"""What records are compared for, beside equal identifiers. `completeness` of matching.py says what each finds."""
_KINDS = {
    "nb": "name+birth",
    "pn": "phone+pinyin",
    "bm": "birth+mother",
    "bp": "birth+phone",
    "n1": "number",
    "n2": "number",
    "na": "name+address",
}


class Keys(NamedTuple):
    """Of one record. identifiers: its own number at its source first."""

    identifiers: Sequence[int]
    blocks: Sequence[int]

    @property
    def all(self) -> Sequence[int]:
        return [*self.identifiers, *self.blocks]


def keys_of(record: Record) -> Keys:
    return Keys(identifier_keys(record), [key for _, key in blocks(record)])


def keys_of_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Of texts of this module, many at once."""
    return keys_of_lines("".join([f"{text}\n" for text in texts]).encode())


def keys_of_lines(texts: bytes) -> NDArray[np.int64]:
    """The same texts, a line each."""
    return sm3_lines(texts)[:, :8].copy().view("<i8")[:, 0]


def _key(text: str) -> int:
    return int.from_bytes(sm3(f"{text}\n".encode())[:8], "little", signed=True)


def identifier_key(domain: str, value: str) -> int:
    return _key(f"id:{domain}\0{value}")


def identifier_keys(record: Record) -> list[int]:
    """Of sound ones, former ones too: who asks for a former number finds its person."""
    return [_key(text) for text in identifier_texts(record)]


def blocks(record: Record) -> Iterator[tuple[str, int]]:
    """Blocks that a record lies in, and their keys."""
    return ((_KINDS[text[:2]], _key(text)) for text in block_texts(record))


def identifier_texts(record: Record) -> list[str]:
    """What a key stands for: a kind and its parts, with NUL between, which no part has. None has a newline either."""
    return [f"id:{one.domain}\0{one.value}" for one in record.identifiers if one.sound]


def block_texts(record: Record) -> list[str]:
    """The same of blocks; the kind is one of _KINDS."""
    found = []
    name, birth, phone = latin(record.name), record.birth_date, record.phone
    if birth:
        if name:
            found.append(f"nb:{name}\0{birth}")
        if record.mother:
            found.append(f"bm:{birth}\0{latin(record.mother)}")
        if phone:
            found.append(f"bp:{birth}\0{phone}")
    if name:
        if phone:
            found.append(f"pn:{phone}\0{name}")
        if record.address:
            found.append(f"na:{name}\0{record.address}")
    for one in record.identifiers:
        if not one.sound:  # its neighbours by one wrong character share one of its halves, and the name
            found += f"n1:{one.value[:9]}\0{name}", f"n2:{one.value[-9:]}\0{name}"
    return found
