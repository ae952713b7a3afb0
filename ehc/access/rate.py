"""How fast a caller may go on: a token bucket, kept as one number a caller (GCRA).

The number is the time at which the bucket will be full again. A request moves it on by 1/rate; it is refused while the
number lies further ahead than the burst allows. A call that does the work of many pays for all of them afterwards.

The numbers stand in memory that all workers of a host share (native/token/rate.c), so they count together.
"""

from __future__ import annotations

import math
from mmap import mmap

from ehc.crypto.claims import Bucket, Buckets, fingerprint, take_each
from ehc.errors import TooMany

SHARED_BYTES = 16 << 18
"""Of 262,144 buckets: every institution of a province, and every app."""


class Rates:
    """memory: SHARED_BYTES of zeros, or what other processes made of them; None: this process counts alone."""

    def __init__(self, memory: mmap | bytearray | None = None) -> None:
        self._buckets = Buckets(bytearray(16 << 12) if memory is None else memory)

    def bucket(self, name: str, rate: float, burst: float) -> Bucket:
        """rate: requests a second; burst: so many may come at once after a rest. Who asks for the same name and rate,
        in whatever process, gets the same bucket."""
        code = fingerprint(f"{rate} {name}".encode())
        found = self._buckets.bucket(code, rate, burst)
        return found or alone(rate, burst)  # the memory is full


def alone(rate: float, burst: float) -> Bucket:
    """A bucket that only this process counts in."""
    found = Buckets(bytearray(1024)).bucket(1, rate, burst)
    assert found is not None  # noqa: S101  there is room for 64
    return found


def take(buckets: tuple[Bucket, ...], now: float) -> None:
    """One request out of every bucket, or out of none. Raises TooMany that says when to come again."""
    if wait := take_each(buckets, now):
        raise TooMany(math.ceil(wait))
