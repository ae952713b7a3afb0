"""What the C bench does: the items of each job and, by OpenSSL through `cryptography`, their answer."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peers import openssl_well
from peers.stronger_codes import Bound, Compact, base45, bound_token, compact_code, hmac
from people import PROTECTION_KEY, SECURITY_KEY, VALIDITY_VECTOR, VECTORS, people

COMPACT_NOW = 1_767_225_600  # 2026-01-01T00:00:00Z, as in job.h
COMPACT_VECTOR = "EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME"
BOUND_VECTOR = "CAE09540D7358B4120B18B67A4A447AC"


@dataclass(frozen=True)
class Job:
    """A job's items and its answer."""

    name: str
    kind: str  # of bench/c/job.h
    unit: str  # what a cycle count is divided by
    items: list[bytes]
    answer: bytes
    divisor: int = 8  # the portable tiers and the peers take this part of the items
    id_lengths: Sequence[int] = ()
    units: int = 1  # in an item
    more: bytes = b""  # behind the items

    def file(self, folder: Path) -> Path:
        """Written as driver.c reads it."""
        offsets = [0]
        for item in self.items:
            offsets.append(offsets[-1] + len(item))
        count = len(self.items)
        head = struct.pack("=3I16s", count, len(self.answer), self.divisor, self.kind.encode())
        parts = head, struct.pack(f"={count + 1}I", *offsets), bytes(self.id_lengths or bytes(count)), self.answer
        path = folder / f"{self.name}.job"
        path.write_bytes(b"".join((*parts, *self.items, self.more)))
        return path


Row = tuple[str, str, str]


def _ids(rows: list[Row], key: bytes) -> bytes:
    return bytes.fromhex("".join(openssl_well.derive(rows, key)))


def _rows(name: str, rows: list[Row]) -> Job:
    lengths = [len(row[0] + row[1]) for row in rows]
    items = ["".join(row).encode() for row in rows]
    return Job(name, "derive", "person", items, _ids(rows, SECURITY_KEY), id_lengths=lengths)


def _rekey(rows: list[Row]) -> Job:
    ids = _ids(rows, SECURITY_KEY) + _ids(rows, PROTECTION_KEY)
    derive = _rows("", rows)
    return Job("re-key, one block", "rekey", "person", derive.items, ids, 1, derive.id_lengths)


def _checks(name: str, kind: str, texts: list[str], accepted: list[bool], divisor: int = 8) -> list[Job]:
    """The same in one batch, and a call each."""
    items, answer = [text.encode() for text in texts], bytes(accepted)
    few = len(items) // 4
    return [
        Job(f"check {name}", kind, "token", items, answer, divisor),
        Job(f"check {name}, a call each", f"{kind}_one", "token", items[:few], answer[:few], max(1, divisor // 4)),
    ]


def _makes(name: str, kind: str, items: list[bytes], texts: list[str], more: bytes = b"") -> list[Job]:
    few, answer = len(items) // 4, "".join(texts).encode()
    part = answer[: len(texts[0]) * few]
    return [
        Job(f"make {name}", kind, "token", items, answer, more=more),
        Job(f"make {name}, a call each", f"{kind}_one", "token", items[:few], part, 2, more=more),
    ]


def _national(count: int) -> list[Job]:
    """Dynamic codes; one in 64 is forged, one expired."""
    now, vector = VALIDITY_VECTOR
    cards = list(VECTORS.values())
    times = [now + i * 7919 % 600 for i in range(count)]
    good = openssl_well.tokens(times, PROTECTION_KEY)
    assert good[0] == vector
    tokens = list(good)
    tokens[5::64] = openssl_well.tokens([now - 3600] * len(tokens[5::64]), PROTECTION_KEY)
    tokens[9::64] = ["0" * 32] * len(tokens[9::64])
    texts = [f"{cards[i % len(cards)]}:0:{token}" for i, token in enumerate(tokens)]
    accepted = openssl_well.check(texts, PROTECTION_KEY, now)
    return _checks("N", "check", texts, accepted) + _makes("N", "make", [struct.pack("=q", t) for t in times], good)


def _bound(count: int) -> list[Job]:
    """Card-bound codes; one in 64 stands behind another card, one is expired."""
    now, cards = VALIDITY_VECTOR[0], list(VECTORS.values())
    ids = [bytes.fromhex(cards[i % len(cards)]) for i in range(count)]
    assert bound_token(Bound(1_767_225_660, 1, 0, 0, 0xA7), ids[0], PROTECTION_KEY) == BOUND_VECTOR
    fields = [Bound(now + i * 7919 % 600, 1, i % 16, i % 7, i) for i in range(count)]
    tokens = [bound_token(one, card, PROTECTION_KEY) for one, card in zip(fields, ids, strict=True)]
    shown, accepted = list(tokens), [True] * count
    for i in range(5, count, 64):
        shown[i], accepted[i] = bound_token(fields[i]._replace(expiry=now - 3600), ids[i], PROTECTION_KEY), False
    for i in range(9, count, 64):
        shown[i], accepted[i] = tokens[i - 1], False
    texts = [f"{card.hex().upper()}:0:{token}" for card, token in zip(ids, shown, strict=True)]
    items = [struct.pack("=q3BxI", *one) for one in fields]
    return _checks("A", "bound", texts, accepted) + _makes("A", "make_bound", items, tokens, b"".join(ids))


def _compact(count: int) -> list[Job]:
    """Compact codes; one in 64 is forged, one expired."""
    fields = [
        Compact(440100, 1, 1, 2, 0, COMPACT_NOW - i * 7919 % 100, 0xA7 + i, 1234567890123456789 + i)
        for i in range(count)
    ]
    codes = [compact_code(one, PROTECTION_KEY) for one in fields]
    assert codes[0] == COMPACT_VECTOR
    shown, accepted = list(codes), [True] * count
    for i in range(5, count, 64):
        old = fields[i]._replace(issued_at=COMPACT_NOW - 3600)
        shown[i], accepted[i] = compact_code(old, PROTECTION_KEY), False
    for i in range(9, count, 64):
        shown[i], accepted[i] = codes[i][:59] + codes[i - 1][59:], False  # another code's mac
    items = [struct.pack("=I4Bq2Q", *one) for one in fields]
    return _checks("E2", "compact", shown, accepted) + _makes("E2", "make_compact", items, codes)


def _texts(count: int) -> list[Job]:
    chance = random.Random(1)
    whole = [chance.randbytes(48) for _ in range(count)]
    raw = b"".join(whole)
    digits = raw.hex().upper().encode()
    encoded = [base45(one).encode() for one in whole]
    return [
        Job("hex out", "hex", "byte", whole, digits, units=48),
        Job("hex in", "unhex", "byte", [digits[i : i + 96] for i in range(0, len(digits), 96)], raw, units=48),
        Job("base45 out", "base45", "byte", whole, b"".join(encoded), units=48),
        Job("base45 in", "unbase45", "byte", encoded, raw, units=48),
    ]


def _primitives(count: int) -> list[Job]:
    blocks = [SECURITY_KEY, *(struct.pack("=2Q", i, i * i) for i in range(1, 2 * count))]
    messages = [b"abc", *(item * 2 for item in blocks[1 : count // 4])]
    macs = [item * 2 for item in blocks[:count]]
    mac_key = hmac(PROTECTION_KEY, b"ehc mac v1")
    bulk = b"".join(blocks)[:16384]
    last = openssl_well.sm4_ecb(blocks[count // 4 - 1], bytes(16))
    return [
        Job("SM4-ECB", "ecb", "byte", blocks, openssl_well.sm4_ecb(SECURITY_KEY, b"".join(blocks)), units=16),
        Job("SM4 key schedule", "keys", "key", blocks[: count // 4], last, divisor=1),
        Job("SM3, long", "hash", "byte", [bulk], openssl_well.sm3(bulk), divisor=1, units=len(bulk)),
        Job("SM3, 32 bytes", "hash", "message", messages, b"".join(map(openssl_well.sm3, messages)), divisor=1),
        Job("SM3, lanes", "mac", "byte", macs, b"".join(hmac(mac_key, item) for item in macs), units=128),
    ]


def jobs(scale: int = 1) -> list[Job]:
    """scale: divides the number of items, for a quick look."""
    count = 4096 // scale
    one = [*VECTORS, *(row for row in people(count) if len("".join(row).encode()) <= 55)][:count]
    two = [(a, b, (name * 9)[:20]) for a, b, name in people(3 * count) if not name.isascii()][:count]
    return [
        _rows("derive, one block", one),
        _rows("derive, two blocks", two),
        _rekey(one[: max(8, count // 8)]),
        *_national(count),
        *_bound(count),
        *_compact(count),
        *_texts(count),
        *_primitives(count),
    ]
