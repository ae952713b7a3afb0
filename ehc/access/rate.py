"""How fast a caller may go on: a token bucket, kept as one number a caller (GCRA).

The number is the time at which the bucket will be full again. A request moves it on by 1/rate; it is refused while the
number lies further ahead than the burst allows. A call that does the work of many pays for all of them afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ehc.errors import TooMany


class Bucket:
    """rate: requests a second; burst: so many may come at once after a rest. now: of a clock that never steps."""

    __slots__ = ("_full_at", "_interval", "_tolerance")

    def __init__(self, rate: float, burst: float) -> None:
        self._interval = 1.0 / rate
        self._tolerance = (burst - 1) / rate + 1e-9  # the first of a burst is always let in
        self._full_at = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until the next one is let in; none of it when 0 or less."""
        return self._full_at - now - self._tolerance

    def pay(self, now: float, cost: int = 1) -> None:
        self._full_at = (self._full_at if self._full_at > now else now) + self._interval * cost


def take(buckets: Iterable[Bucket], now: float) -> None:
    """One request out of every bucket, or out of none. Raises TooMany that says when to come again."""
    for bucket in buckets:
        wait = bucket.wait(now)
        if wait > 0:
            raise TooMany(math.ceil(wait))
    for bucket in buckets:
        bucket.pay(now)
