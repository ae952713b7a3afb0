"""Sets of taken codes in memory that processes share (native/token/claims.c)."""

from ehc._native import Claims, add_one, fingerprint

FULL = 5
"""Status of a set that has no slot left for a code: ask the next one. The others are `ehc.model.Claim`."""

REVOKED = 0xFFFF_FFFF_FFFF
"""The holder of a code that nobody may use."""

__all__ = ["FULL", "REVOKED", "Claims", "add_one", "fingerprint"]
