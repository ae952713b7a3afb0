"""Steps 1 to 5 for a token (profiles N and A) that somebody else opens: a crypto machine which keeps its key."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime

from ehc import _native
from ehc.crypto.token import _REASONS, Window, _detail, _payload
from ehc.model import CST, BoundToken, Payload, Reason, Verdict

_FORM = "%Y%m%d%H%M%S"
_BOUND = 0xE1
_CARD_DIGITS = 64


def validity_block(time: int) -> bytes:
    """The 16 bytes that are sealed: seven of BCD, in China Standard Time, and nine zeros.

    Raises ValueError when the year is not 1 to 9999.
    """
    try:
        at = datetime.fromtimestamp(time, CST)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"the token's time must lie in the years 1 to 9999: {time}") from None
    digits = f"{at.year:04}{at:%m%d%H%M%S}"
    return bytes.fromhex(digits) + bytes(9)


def validity_time(block: bytes) -> int | None:
    """Seconds since 1970 that an opened block says; None when it is no validity block."""
    digits = block[:7].hex()
    if len(block) != 16 or any(block[7:]) or not digits.isdecimal():
        return None
    try:
        return int(datetime.strptime(digits, _FORM).replace(tzinfo=CST).timestamp())
    except ValueError:
        return None


def card_factor(card_id: str) -> bytes:
    """What the protection key makes a card's own key of (profile A): g ‖ NOT g, g the XOR of the card id's four groups.
    card_id: 64 hex digits."""
    a, b, c, d = struct.unpack("4Q", bytes.fromhex(card_id))
    return struct.pack("2Q", g := a ^ b ^ c ^ d, g ^ (1 << 64) - 1)


def bound_block(expiry: int, key_version: int, sequence: int) -> bytes:
    """The 16 bytes that are sealed under a card's own key. Raises ValueError as validity_block, and for a sequence
    outside 0 to 2^24 - 1."""
    if not 0 <= sequence <= 0xFFFFFF:
        raise ValueError(f"sequence is 0 to {0xFFFFFF}, not {sequence}")
    return bytes([_BOUND, *validity_block(expiry)[:7], key_version, 0]) + sequence.to_bytes(3, "big") + bytes(3)


def bound_fields(block: bytes) -> BoundToken | None:
    """What an opened block of profile A says; None when it is none."""
    expiry = validity_time(block[1:8] + bytes(9))
    if block[0] != _BOUND or any(block[13:]) or expiry is None:
        return None
    return BoundToken(expiry, block[8], block[9] >> 4, block[9] & 15, int.from_bytes(block[10:13], "big"))


Opened = Callable[[bytes], bytes | None]
"""Gives the 16 bytes behind a token, None when there are none; called only when there is a token."""
OpenedBound = Callable[[str, bytes], BoundToken | Reason]
"""Of a card id (64 hex digits) and a token: what it says, or FORGED or KEY_VERSION."""


def check_opened(
    payload: str | bytes, now: int, window: Window, opened: Opened | None, bound: OpenedBound | None = None
) -> Verdict:
    """As ehc.crypto.check_token. opened: for profile N, tried first; bound: for profile A; None: not accepted."""
    status, kind, offset, fields = _native.parse_payload(payload)
    if fields is None:
        return Verdict(_REASONS[status], detail=_detail(_REASONS[status], kind, offset), offset=offset)
    found = _payload(fields)
    if found.token is None:
        return _verdict(Reason.NO_TOKEN, found)
    token = bytes.fromhex(found.token)
    block = None if opened is None else opened(token)
    time = None if block is None else validity_time(block)
    if time is not None:
        expiry = time + ((window.validity or 0) if window.time == "issue" else 0)
        return _verdict(_judged(expiry, now, window), found, expiry)
    if bound is None or len(found.card_id) != _CARD_DIGITS:
        return _verdict(Reason.FORGED, found)
    said = bound(found.card_id, token)
    if isinstance(said, Reason):
        return _verdict(said, found)
    return _verdict(_judged(said.expiry, now, window), found, said.expiry, said)


def _judged(expiry: int, now: int, window: Window) -> Reason:
    if expiry < now - window.tolerance:
        return Reason.EXPIRED
    if window.validity is not None and expiry > now + window.validity + window.tolerance:
        return Reason.EARLY
    return Reason.ACCEPTED


def _verdict(reason: Reason, payload: Payload, expiry: int | None = None, bound: BoundToken | None = None) -> Verdict:
    return Verdict(reason, payload, expiry, "" if reason is Reason.ACCEPTED else _detail(reason, 0, 0), bound=bound)
