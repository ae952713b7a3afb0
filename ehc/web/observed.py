"""What the service counts of itself: plain numbers, which cost the hot path next to nothing.

Every worker writes its own into a file of the service's folder once a second; whoever is asked for /metrics adds up all
of them. The file of a worker that has ended stays, so that no counter ever goes back while the service runs.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ehc.crypto.hot import Operation

BOUNDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets, in seconds."""

WRITE_EVERY = 1.0
ALIVE_SECONDS = 5.0


class Snapshot(msgspec.Struct, array_like=True):
    """One worker's numbers since it began."""

    at: float
    pid: int
    resident: int  # bytes
    requests: list[tuple[str, int, int]]  # operation, status (0: cut off), how many
    seconds: dict[str, list[float]]  # operation -> requests in each bucket, those over all bounds, seconds in all
    verdicts: dict[str, int]  # reason -> how many
    degraded: int = 0  # of the accepted ones

    @property
    def alive(self) -> bool:
        return time.time() - self.at < ALIVE_SECONDS


class Observed:
    """Of one process. folder: where the workers of one service leave theirs; None: this process is alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._operations: dict[str, Operation] = {}
        self.by_verdict: dict[str, int] = {}  # how many
        self._degraded = 0

    def request(self, operation: str | None, status: int | None, seconds: float) -> None:
        """operation None: no such endpoint; status None: the connection was cut."""
        self.operation(operation or "none").request(status or 0, seconds)

    def operation(self, name: str) -> Operation:
        return self._operations.get(name) or self._operations.setdefault(name, Operation(BOUNDS))

    def verdict(self, reason: str, count: int = 1) -> None:
        self.by_verdict[reason] = self.by_verdict.get(reason, 0) + count

    def degraded(self) -> None:
        self._degraded += 1

    def verdicts(self, counts: Counter[str]) -> None:
        for reason, count in counts.items():
            self.verdict(reason, count)

    def snapshot(self) -> Snapshot:
        """From any thread: what is counted on meanwhile is copied first."""
        asked = {name: one for name, one in self._operations.copy().items() if one.statuses}
        requests = [(name, *item) for name, one in asked.items() for item in one.statuses.copy().items()]
        seconds, verdicts = {name: one.seconds for name, one in asked.items()}, self.by_verdict.copy()
        return Snapshot(time.time(), os.getpid(), _resident(), requests, seconds, verdicts, self._degraded)

    def write(self) -> None:
        """Whole or not at all."""
        if self._folder is None:
            return
        path = self._folder / f"{os.getpid()}.json"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self.snapshot()))
        fresh.replace(path)

    def all(self) -> Iterator[Snapshot]:
        """This worker's as it is now, the others' as they were a second ago."""
        yield self.snapshot()
        for path in self._folder.glob("*.json") if self._folder else ():
            if path.stem != str(os.getpid()):
                yield msgspec.json.decode(path.read_bytes(), type=Snapshot)

    async def keep(self) -> None:
        """Write every second. Runs until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY)
            self.write()


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
