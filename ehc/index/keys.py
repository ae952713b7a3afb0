"""Keys that find a record: of its identifiers, and of what records of one person mostly share (blocking).

A key is 64 bits of BLAKE2b over what it stands for. It may by chance be another's: the full value decides, always.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from ehc.index.names import latin
from ehc.index.record import Record

_NUMBER = struct.Struct("<q")
BLOCKS = ("name+birth", "phone+pinyin", "birth+mother", "birth+phone", "number", "name+address")
"""What records are compared for, beside equal identifiers. `completeness` of matching.py says what each finds."""


def _key(text: str) -> int:
    """Of a kind and its parts, with NUL between: no part has one."""
    [number] = _NUMBER.unpack(blake2b(text.encode(), digest_size=8).digest())
    return int(number)


def identifier_key(domain: str, value: str) -> int:
    return _key(f"=\0{domain}\0{value}")


def identifier_keys(record: Record) -> list[int]:
    """Of sound ones, former ones too: who asks for a former number finds its person."""
    return [identifier_key(one.domain, one.value) for one in record.identifiers if one.sound]


def blocks(record: Record) -> Iterator[tuple[str, int]]:
    """Blocks that a record lies in, and their keys."""
    name, birth, phone = latin(record.name), record.birth_date, record.phone
    if name and birth:
        yield "name+birth", _key(f"nb\0{name}\0{birth}")
    if name and phone:
        yield "phone+pinyin", _key(f"pn\0{phone}\0{name}")
    if birth and record.mother:
        yield "birth+mother", _key(f"bm\0{birth}\0{latin(record.mother)}")
    if birth and phone:
        yield "birth+phone", _key(f"bp\0{birth}\0{phone}")
    if name and record.address:
        yield "name+address", _key(f"na\0{name}\0{record.address}")
    for one in record.identifiers:
        if not one.sound:  # its neighbours by one wrong character share one of its halves, and the name
            yield "number", _key(f"n1\0{one.value[:9]}\0{name}")
            yield "number", _key(f"n2\0{one.value[-9:]}\0{name}")


def all_keys(record: Record) -> Sequence[int]:
    return [*identifier_keys(record), *(key for _, key in blocks(record))]
