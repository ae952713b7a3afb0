"""A machine's operations in the audit log, in blocks: by kind and key version, never by person.

A record stands before the acts it covers: it allows so many operations, and says what was done of the block before it.
A machine that was killed has done at most what its last record allows. When no record can be written, nothing is done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ehc.errors import KeyringError

log = logging.getLogger("ehc.machine")

BLOCK = 1_000_000  # operations
SECONDS = 10.0  # after which a block ends as well

Append = Callable[[str, Mapping[str, object]], object]
"""Writes an act and what is to be said of it. Raises KeyringError."""


class BlockAudit:
    """counts: what was done so far, [kind, key version], in numbers that come round; names: of the kinds."""

    def __init__(
        self,
        append: Append,
        counts: Callable[[], NDArray[np.uint32]],
        names: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
        *,
        block: int = BLOCK,
        seconds: float = SECONDS,
    ) -> None:
        self._append, self._counts, self._names, self._clock = append, counts, names, clock
        self._block, self._seconds = block, seconds
        self._said, self._ends, self._refused = counts(), 0.0, False
        self._left = 0  # of the block, at least: those who ask say how many there can be, not how many there are

    def covers(self, operations: int) -> bool:
        """Whether so many more may be done: a record that allows them stands in the log."""
        now = self._clock()
        self._left -= operations
        if now < self._ends and self._left < 0:
            self._left = self._block - operations - self._done()
        if now < self._ends and self._left >= 0:
            return True
        self._left = max(self._block, operations) - operations
        return self._write("machine.block", {"up_to": max(self._block, operations)}, now + self._seconds)

    def begin(self) -> None:
        """The first record, for a machine whose operations do not ask. Raises KeyringError."""
        self._append("machine.block", {"up_to": self._block, "done": {}})
        self._left, self._ends = self._block, self._clock() + self._seconds

    def renew(self) -> bool:
        """For operations that do not ask: the next record, when something was done and the time, or a quarter of the
        block, is over. False: it cannot be written."""
        done, now = self._done(), self._clock()
        if not self._refused and (not done or (done < self._block // 4 and now < self._ends)):
            return True
        self._left = self._block
        return self._write("machine.block", {"up_to": self._block}, now + self._seconds)

    def _done(self) -> int:
        """Since the last record."""
        return int((self._counts() - self._said).sum(dtype=np.int64))

    def end(self) -> None:
        """The last record of a machine that stops in order."""
        self._write("machine.stop", {}, 0.0)

    def _write(self, act: str, what: Mapping[str, object], ends: float) -> bool:
        found = self._counts()
        try:
            self._append(act, {**what, "done": self._listed(found - self._said)})
        except KeyringError as error:
            if not self._refused:
                log.error("nothing is done while the audit log cannot be written: %s", error)
            self._refused, self._ends = True, 0.0
            return False
        self._said, self._ends, self._refused = found, ends, False
        return True

    def _listed(self, done: NDArray[np.uint32]) -> dict[str, int]:
        """ "card_made 2": so many under key version 2; of refusals by code."""
        return {f"{self._names[row]} {column}": int(done[row, column]) for row, column in np.argwhere(done)}
