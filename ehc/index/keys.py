"""Keys that find a record: of its identifiers, and of what records of one person mostly share (blocking).

A key is 64 bits of BLAKE2b over what it stands for. It may by chance be another's: the full value decides, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

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


def packed(texts: Iterable[str]) -> bytes:
    """Keys of texts of this module, 8 bytes each, little-endian."""
    return b"".join([blake2b(text.encode(), digest_size=8).digest() for text in texts])


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def identifier_key(domain: str, value: str) -> int:
    return _key(f"=\0{domain}\0{value}")


def identifier_keys(record: Record) -> list[int]:
    """Of sound ones, former ones too: who asks for a former number finds its person."""
    return [_key(text) for text in identifier_texts(record)]


def blocks(record: Record) -> Iterator[tuple[str, int]]:
    """Blocks that a record lies in, and their keys."""
    return ((_KINDS[text[:2]], _key(text)) for text in block_texts(record))


def identifier_texts(record: Record) -> list[str]:
    """What a key stands for: a kind and its parts, with NUL between, which no part has."""
    return [f"=\0{one.domain}\0{one.value}" for one in record.identifiers if one.sound]


def block_texts(record: Record) -> list[str]:
    """The same of blocks; the kind is one of _KINDS."""
    found = []
    name, birth, phone = latin(record.name), record.birth_date, record.phone
    if birth:
        if name:
            found.append(f"nb\0{name}\0{birth}")
        if record.mother:
            found.append(f"bm\0{birth}\0{latin(record.mother)}")
        if phone:
            found.append(f"bp\0{birth}\0{phone}")
    if name:
        if phone:
            found.append(f"pn\0{phone}\0{name}")
        if record.address:
            found.append(f"na\0{name}\0{record.address}")
    for one in record.identifiers:
        if not one.sound:  # its neighbours by one wrong character share one of its halves, and the name
            found += f"n1\0{one.value[:9]}\0{name}", f"n2\0{one.value[-9:]}\0{name}"
    return found
