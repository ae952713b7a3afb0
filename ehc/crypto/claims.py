"""Sets of taken codes, and token buckets, in memory that processes share (native/token/claims.c, rate.c)."""

from ehc._native import Bucket, Buckets, Claims, add_one, fingerprint, fingerprints

FULL = 5
"""Status of a set that has no slot left for a code: ask the next one. The others are `ehc.model.Claim`."""

REVOKED = 0xFFFF_FFFF_FFFF
"""The holder of a code that nobody may use."""

__all__ = ["FULL", "REVOKED", "Bucket", "Buckets", "Claims", "add_one", "fingerprint", "fingerprints"]
