"""The TCP machine's operations in the audit log, in blocks: by kind and key version, never by person.

A record stands before the acts it covers: it allows so many operations, and says what was done of the block before it.
A machine that was killed has done at most what its last record allows. When no record can be written, nothing is done.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.host import OPERATIONS
from ehc.errors import KeyringError

log = logging.getLogger("ehc.machine")

BLOCK = 1_000_000  # operations
SECONDS = 10.0  # after which a block ends as well

Append = Callable[[str, Mapping[str, object]], object]
"""Writes an act and what is to be said of it. Raises KeyringError."""


class HostAudit:
    """counts: what was done so far, [operation, key version], as HostMachine counts it."""

    def __init__(
        self,
        append: Append,
        counts: Callable[[], NDArray[np.uint32]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._append, self._counts, self._clock = append, counts, clock
        self._said, self._ends, self._refused = counts(), 0.0, False
        self._left = 0  # of the block, at least: those who ask say how many there can be, not how many there are

    def covers(self, operations: int) -> bool:
        """Whether so many more may be done: a record that allows them stands in the log."""
        now = self._clock()
        self._left -= operations
        if now < self._ends and self._left < 0:
            self._left = BLOCK - operations - int((self._counts() - self._said).sum())
        if now < self._ends and self._left >= 0:
            return True
        self._left = max(BLOCK, operations) - operations
        return self._write("machine.block", {"up_to": max(BLOCK, operations)}, now + SECONDS)

    def end(self) -> None:
        """The last record of a machine that stops in order."""
        self._write("machine.stop", {}, 0.0)

    def _write(self, act: str, what: Mapping[str, object], ends: float) -> bool:
        found = self._counts()
        try:
            self._append(act, {**what, "done": _listed(found - self._said)})
        except KeyringError as error:
            if not self._refused:
                log.error("nothing is done while the audit log cannot be written: %s", error)
            self._refused, self._ends = True, 0.0
            return False
        self._said, self._ends, self._refused = found, ends, False
        return True


def _listed(done: NDArray[np.uint32]) -> dict[str, int]:
    """ "card_made 2": so many under key version 2; of refusals by code."""
    return {f"{OPERATIONS[row]} {column}": int(done[row, column]) for row, column in np.argwhere(done)}
