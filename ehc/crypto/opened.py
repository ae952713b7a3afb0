"""Steps 1 to 5 for a validity token (profile N) that somebody else opens: a crypto machine which keeps its key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ehc import _native
from ehc.crypto.token import _REASONS, Window, _detail, _payload
from ehc.model import CST, Payload, Reason, Verdict

_FORM = "%Y%m%d%H%M%S"


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


def check_opened(payload: str | bytes, now: int, window: Window, opened: Callable[[bytes], bytes | None]) -> Verdict:
    """As ehc.crypto.check_token for profile N. opened: gives the 16 bytes behind a token, None when there are none;
    called only when there is a token."""
    status, kind, offset, fields = _native.parse_payload(payload)
    if fields is None:
        return Verdict(_REASONS[status], detail=_detail(_REASONS[status], kind, offset), offset=offset)
    found = _payload(fields)
    if found.token is None:
        return _verdict(Reason.NO_TOKEN, found)
    block = opened(bytes.fromhex(found.token))
    time = None if block is None else validity_time(block)
    if time is None:
        return _verdict(Reason.FORGED, found)
    expiry = time + ((window.validity or 0) if window.time == "issue" else 0)
    return _verdict(_judged(expiry, now, window), found, expiry)


def _judged(expiry: int, now: int, window: Window) -> Reason:
    if expiry < now - window.tolerance:
        return Reason.EXPIRED
    if window.validity is not None and expiry > now + window.validity + window.tolerance:
        return Reason.EARLY
    return Reason.ACCEPTED


def _verdict(reason: Reason, payload: Payload, expiry: int | None = None) -> Verdict:
    return Verdict(reason, payload, expiry, "" if reason is Reason.ACCEPTED else _detail(reason, 0, 0))
