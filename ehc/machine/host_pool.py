"""A pool of lines (host_lines.py) to one machine: single questions, and batches over several lines at once."""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ehc.crypto.host import HostBatch
from ehc.errors import Unavailable
from ehc.machine.host_lines import Broken, Line, Part

_TRIES = 2  # in a row without a single answer: a line may be of a machine that was started anew since


class LinePool:
    """connections: most lines at a time; depth: frames without an answer on a line of a batch; seconds: for an answer.

    Safe for any number of threads. Raises Unavailable, never an answer that is in doubt.
    """

    def __init__(self, address: tuple[str, int], connections: int, depth: int, seconds: float) -> None:
        self.address, self._connections, self._depth, self._seconds = address, connections, depth, seconds
        self._permits = threading.Semaphore(connections)
        self._idle: list[Line] = []
        self._lock = threading.Lock()

    def ask(self, bodies: Sequence[bytes]) -> list[bytes]:
        """The bodies of the answers to some frames; those of a line that breaks are asked once more on a new one."""
        with self._held(1):
            parts = [bodies[at : at + self._depth] for at in range(0, len(bodies), self._depth)]
            return [answer for part in parts for answer in self._ask(part)]

    def _ask(self, bodies: Sequence[bytes]) -> list[bytes]:
        for tries in range(1, _TRIES + 1):
            line = None
            try:
                line = self._line(new=tries > 1)
                answers = line.ask(bodies)
            except Broken as broken:
                self._end(line, broken, tries)
            else:
                self._idle.append(line)
                return answers
        raise AssertionError("the last try returns or raises")

    def make_cards(self, batch: HostBatch, version: int) -> None:
        """Fills a batch's cards, and its codes where there is none."""
        rows = len(batch)
        with self._held(min(self._connections, -(-rows // self._depth))) as held:
            ends = [rows * (i + 1) // held for i in range(held)]
            works = [_Work(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
            try:
                for work in works:
                    self._begin(work, batch, version)
                self._run(works, batch, version)
            finally:
                self._give_back(works)

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    @contextlib.contextmanager
    def _held(self, wanted: int) -> Iterator[int]:
        """As many permits as are free, up to `wanted` and at least one."""
        if not self._permits.acquire(timeout=self._seconds):
            raise Unavailable(f"{self._name}: all {self._connections} connections were busy for {self._seconds:g} s")
        held = 1
        while held < wanted and self._permits.acquire(blocking=False):
            held += 1
        try:
            yield held
        finally:
            self._permits.release(held)

    def _line(self, *, new: bool) -> Line:
        """An idle line on which nothing came, or a new one. Raises Broken."""
        while not new:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                break
            if line.is_quiet():
                return line
            line.close()
        return Line(self.address, self._seconds)

    def _end(self, line: Line | None, broken: Broken, tries: int) -> None:
        if line is not None:
            line.close()
        if tries >= _TRIES:
            raise Unavailable(f"{self._name}: {broken}") from None

    def _begin(self, work: _Work, batch: HostBatch, version: int) -> None:
        """On a line; on a new one when it was begun before."""
        while work.part is None:
            work.tries += 1
            try:
                line = self._line(new=work.tries > 1)
            except Broken as broken:
                self._end(None, broken, work.tries)
                continue
            work.part = Part(line, batch, range(work.begin, work.end), self._depth, version)
            work.deadline, work.writes = time.monotonic() + self._seconds, True

    def _run(self, works: list[_Work], batch: HostBatch, version: int) -> None:
        while waiting := [work for work in works if not work.done]:
            for work in waiting:
                try:
                    self._go_on(work)
                except Broken as broken:
                    self._end(work.line, broken, work.tries)
                    work.begin, work.part = work.made, None
                    self._begin(work, batch, version)
            _wait(waiting)

    def _go_on(self, work: _Work) -> None:
        """Write and read as far as it goes."""
        part = work.part
        if part is None:
            return
        work.writes = part.write()
        if part.read():
            work.writes = part.write()
            work.tries, work.deadline = 0, time.monotonic() + self._seconds
        elif time.monotonic() > work.deadline and not part.done:
            raise Broken(f"no answer in {self._seconds:g} s")

    def _give_back(self, works: list[_Work]) -> None:
        for work in works:
            if work.line is None:
                continue
            if work.done:
                self._idle.append(work.line)
            else:
                work.line.close()

    @property
    def _name(self) -> str:
        return f"the crypto machine at {self.address[0]} port {self.address[1]}"


@dataclass
class _Work:
    """Rows begin..end-1, and the line that they are on."""

    begin: int
    end: int
    part: Part | None = None
    tries: int = 0  # since a row last went on
    deadline: float = 0.0
    writes: bool = False

    @property
    def line(self) -> Line | None:
        return None if self.part is None else self.part.line

    @property
    def made(self) -> int:
        return self.begin if self.part is None else self.part.made

    @property
    def done(self) -> bool:
        return self.made == self.end


def _wait(works: list[_Work]) -> None:
    """Until one of them can go on, or the first deadline."""
    poll = select.poll()
    for work in works:
        if work.line is not None and not work.done:
            poll.register(work.line.socket, select.POLLIN | (select.POLLOUT if work.writes else 0))
    first = min((work.deadline for work in works if not work.done), default=0.0)
    poll.poll(max(0.0, first - time.monotonic()) * 1000)
