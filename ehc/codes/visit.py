"""Who uses a code, and in which visit: places and visits are known by digests, never by their names."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from ehc.crypto import sm3


def place_of(institution: str | None, terminal: str | None) -> str:
    """Empty when nobody said where."""
    return f"{institution} {terminal or ''}" if institution else ""


@lru_cache(4096)
def holder_of(place: str) -> int:
    """48 bits that stand for a place; 0 for none."""
    return int.from_bytes(hashlib.sha256(place.encode()).digest()[:6], "big") if place else 0


def visit_of(code: bytes, holder: int) -> str:
    """The handle of a visit: the same for the same code at the same place."""
    return sm3(code + holder.to_bytes(6, "big"))[:8].hex().upper()
