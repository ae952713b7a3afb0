"""Taken codes, kept card states and token buckets, in memory that processes share (native/token/claims.c, rate.c)."""

from ehc._native import Bucket, Buckets, Claims, CodeSets, Counters, KeptStatuses, fingerprint, take_each

REVOKED = 0xFFFF_FFFF_FFFF
"""The holder of a code that nobody may use."""

__all__ = ["REVOKED", "Bucket", "Buckets", "Claims", "CodeSets", "Counters", "KeptStatuses", "fingerprint", "take_each"]
