"""Compact codes, profile E2 (native/README.md, "Codes of ours"): `EHC2:` and base45 of header, alias and mac, 77
characters in all.

No card id and no document data is inside: the alias stands for the account, is the same within a day and unlinkable
across days, and only the server can open it. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import CompactKey
from ehc.errors import PayloadError
from ehc.model import Reason, Verdict, seconds

CompactFields = tuple[int, int, int, int, int, int, int]

LIFETIMES: tuple[int | None, ...] = (30, 60, 120, 300, 3600, 86400, 30 * 86400, None)
"""Seconds of the ttl classes 0 to 7; None: until revoked."""

_EPOCH = 1_577_836_800  # 2020-01-01T00:00:00Z

_REASONS: dict[int, Reason] = {  # ehc.h
    0: Reason.ACCEPTED,
    32: Reason.LENGTH,
    33: Reason.CHARACTER,
    35: Reason.GRAMMAR,
    49: Reason.FORGED,
    50: Reason.EXPIRED,
    51: Reason.EARLY,
    52: Reason.KEY_VERSION,
}

_DETAILS: dict[Reason, str] = {
    Reason.ACCEPTED: "",
    Reason.LENGTH: "a compact code has 77 characters",
    Reason.CHARACTER: "a character outside base45 at offset {offset}",
    Reason.GRAMMAR: "not EHC2: and a compact code from offset {offset} on",
    Reason.KEY_VERSION: "the code names a key version that is not among the keys",
    Reason.FORGED: "the code was not made under this protection key",
    Reason.EXPIRED: "the code has lived its time",
    Reason.EARLY: "the code's time of issue lies ahead",
}


@dataclass(frozen=True, slots=True)
class CompactCode:
    """What stands in a compact code."""

    issuer: int  # GB/T 2260 code of six digits
    node: int  # 0..15
    key_version: int  # 1..255
    ttl: int  # class 0..7 of LIFETIMES
    channel: int  # 0..31
    issued_at: int  # seconds since 1970 (UTC)
    serial: int  # 0..2^48 - 1, never used twice by one issuer, node and key version
    account: int | None = None  # stable internal number; None unless the code is authentic

    @property
    def expiry(self) -> int | None:
        """Seconds since 1970; None: until revoked."""
        lifetime = LIFETIMES[self.ttl]
        return None if lifetime is None else self.issued_at + lifetime


class CompactVerdict(Verdict):
    """What checking a compact code found. There is no payload: the code names an account, where a card id would stand.

    The core gives the reason and what an authentic code says; the rest is looked up in the text when asked for.
    """

    __match_args__ = ("reason", "account", "issued_at", "serial_name", "expiry", "detail", "offset")
    __slots__ = ("_text", "account", "issued_at", "serial_name")

    account: int | None  # stable internal number; as the next, None unless authentic
    issued_at: int | None  # seconds since 1970 (UTC)
    serial_name: bytes  # of issuer, node, key version and serial, together never used twice; empty unless authentic
    _text: str | bytes

    @property
    def payload(self) -> None:
        return None

    @property
    def bound(self) -> None:
        return None

    @property
    def code(self) -> CompactCode | None:
        """None when it could not be parsed."""
        fields = _native.parse_compact(_native.text_bytes(self._text))[2]
        return None if fields is None else CompactCode(*fields, self.account)

    @property
    def detail(self) -> str:
        return _DETAILS[self.reason].format(offset=self.offset)

    @property
    def offset(self) -> int | None:
        _, offset, fields = _native.parse_compact(_native.text_bytes(self._text))
        return offset if fields is None else None


@dataclass(frozen=True, slots=True)
class CompactBatch:
    """What checking many compact codes found, row by row."""

    reasons: list[Reason]
    account: NDArray[np.uint64]  # 0 unless the code is authentic
    expiry: NDArray[np.int64]  # seconds since 1970; 0 unless authentic, the largest int64: until revoked

    @property
    def accepted(self) -> NDArray[np.bool_]:
        return np.array([reason is Reason.ACCEPTED for reason in self.reasons], np.bool_)


def make_compact_code(
    key: CompactKey,
    *,
    account: int,
    issuer: int,
    serial: int,
    issued_at: datetime | int,
    node: int = 0,
    ttl: int = 2,
    channel: int = 0,
) -> str:
    """A compact code: 77 characters of the QR alphanumeric alphabet. Fields as in CompactCode.

    Raises ValueError that names the field that is out of its range.
    """
    at = seconds(issued_at)
    for name, value, least, most in (
        ("account", account, 0, 2**64 - 1),
        ("issuer", issuer, 0, 999_999),
        ("serial", serial, 0, 2**48 - 1),
        ("issued_at", at, _EPOCH, _EPOCH + 2**32 - 1),
        ("node", node, 0, 15),
        ("ttl", ttl, 0, 7),
        ("channel", channel, 0, 31),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} is {least} to {most}, not {value}")
    text = _native.make_compact(key, account, (issuer, node, ttl, channel, at, serial))
    if text is None:
        raise ValueError("a field of the code is out of its range")
    return text


def parse_compact(payload: str | bytes) -> CompactCode:
    """Steps 1 and 2: the header of a compact code, unauthenticated. Trailing CR, LF, Tab of a scanner allowed.

    Raises PayloadError with the byte offset.
    """
    status, offset, fields = _native.parse_compact(_native.text_bytes(payload))
    if fields is None:
        raise PayloadError(_DETAILS[_REASONS[status]].format(offset=offset), offset, "some other text")
    return CompactCode(*fields)


_check = _native.CompactChecker(CompactVerdict, _REASONS, seconds).check


def check_compact(
    payload: str | bytes,
    keys: CompactKey | Mapping[int, CompactKey],
    now: datetime | int,
    *,
    tolerance: int = 60,
) -> CompactVerdict:
    """Steps 1 to 5 in one native call: parse, key version, mac and alias, time window.

    keys: the key, or the allowed ones by version. now: as for check_token. tolerance: seconds two clocks may differ, at
    either end of the code's life. Raises ValueError when there is no key at all.
    """
    return _check(payload, keys, now, tolerance)


OpenedCompact = tuple[int, int, int | None, bytes]
"""What an authentic compact code says: account, issued_at, expiry (seconds since 1970; None: until revoked), and the
serial name, as a CompactVerdict has them."""


def open_compacts(payloads: Iterable[str | bytes], key: CompactKey) -> list[OpenedCompact | None]:
    """Steps 1 to 4 for many codes of one key version, in lanes; None for one that is not authentic under the key."""
    return _native.open_compacts(key, payloads)


def check_compact_batch(
    payloads: Iterable[str | bytes], key: CompactKey, now: datetime | int, *, tolerance: int = 60
) -> CompactBatch:
    """check_compact for many codes of one key version, cipher and hash in lanes."""
    status, account, expiry = _native.check_compact_batch(key, payloads, seconds(now), tolerance)
    return CompactBatch([_REASONS[code] for code in status.tolist()], account, expiry)
