"""The time inside a validity token, for all peers alike: the clock is not what they are compared by."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

CST = timezone(timedelta(hours=8))
PADDING = bytes(9)
TOLERANCE = 60  # seconds; ehc.crypto.Window's default
DYNAMIC = re.compile(r"[0-9A-Fa-f]{64}:0:([0-9A-Fa-f]{32})")


def plain_block(expiry: int) -> bytes:
    """YYYYMMDDHHMMSS in BCD and nine zero bytes."""
    return bytes.fromhex(datetime.fromtimestamp(expiry, CST).strftime("%Y%m%d%H%M%S")) + PADDING


def in_time(block: bytes, now: int) -> bool:
    """Whether a decrypted block is a token's, padding and calendar included, and not expired."""
    digits = block[:7].hex()
    if block[7:] != PADDING or not digits.isdigit():
        return False
    month, day, hour, minute, second = (int(digits[i : i + 2]) for i in range(4, 14, 2))
    try:
        expiry = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=CST)
    except ValueError:
        return False
    return expiry.timestamp() >= now - TOLERANCE
