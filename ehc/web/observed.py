"""What the service counts of itself. The hot path adds to plain numbers here, which cost next to nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

BOUNDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets, in seconds."""


class Observed:
    """Of one process, since the last `drain`. A thread of its own may add too: nothing here is more than a count."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()  # (operation, status)
        self.seconds: dict[str, list[float]] = {}  # operation -> a count a bucket, the last over all bounds; the sum
        self.verdicts: Counter[str] = Counter()  # reason

    def request(self, operation: str | None, _method: str, status: int | None, seconds: float) -> None:
        """status None: the connection was cut."""
        name = operation or "none"
        self.requests[name, status or 0] += 1
        row = self.seconds.get(name)
        if row is None:
            row = self.seconds[name] = [0.0] * (len(BOUNDS) + 2)
        row[bisect_left(BOUNDS, seconds)] += 1
        row[-1] += seconds

    def verdict(self, reason: str) -> None:
        self.verdicts[reason] += 1
