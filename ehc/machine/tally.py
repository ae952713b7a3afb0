"""What a machine in this process did, by kind and key version, and whether it may do more; and its audit, in blocks.

One operation adds one to a counter and writes nothing: a record that allows it stands in the log since before, and a
thread writes the next one in time. A batch asks first, and may wait for a record.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ehc.crypto.claims import Counters
from ehc.errors import Unavailable
from ehc.machine.block_audit import Append, BlockAudit

BLOCK = 100_000_000  # operations that a record allows: ten seconds of derivation on one core
SECONDS = 60.0
LOOK_SECONDS = 0.5


class Kind(enum.IntEnum):
    """Of operation; checks count under the key that was tried last."""

    CARD_MADE = 0
    CARD_REKEYED = 1
    TOKEN_MADE = 2
    TOKEN_CHECKED = 3
    CODE_MADE = 4
    CODE_CHECKED = 5
    MAC_MADE = 6
    MAC_CHECKED = 7
    SIGNED = 8
    WRAPPED = 9
    UNWRAPPED = 10


KINDS = [kind.name.lower() for kind in Kind]


class Tally:
    """Counts, and refuses while its audit cannot be written. Of a machine without one it only counts."""

    def __init__(self) -> None:
        self._ones = np.zeros(len(Kind) * 256, np.uint32)
        self._add_one = Counters(self._ones).add_one
        self._many = np.zeros((len(Kind), 256), np.uint32)
        self.lock = threading.Lock()
        self.covers: Callable[[int], bool] = lambda operations: True
        self.closed = False

    def one(self, kind: int, version: int) -> None:
        """Before it is done. Raises Unavailable."""
        if self.closed:
            _refuse()
        self._add_one(kind << 8 | version)

    def many(self, kind: Kind, version: int, operations: int) -> None:
        """Before they are done; may write a record. Raises Unavailable."""
        with self.lock:
            if not self.covers(operations):
                _refuse()
            self._many[kind, version] += operations

    def counts(self) -> NDArray[np.uint32]:
        """[kind, key version], as numbers that come round at 2^32."""
        counted: NDArray[np.uint32] = self._ones.reshape(-1, 256) + self._many
        return counted


def _refuse() -> None:
    raise Unavailable("the crypto machine refuses work: its audit log cannot be written, as the service's log says")


class Audit:
    """Of a tally, from now to `end`. Raises KeyringError when the first record cannot be written."""

    def __init__(self, tally: Tally, append: Append) -> None:
        self._tally = tally
        self._blocks = BlockAudit(append, tally.counts, KINDS, block=BLOCK, seconds=SECONDS)
        self._blocks.begin()
        tally.covers = self._blocks.covers
        self._ended = threading.Event()

    def watch(self) -> None:
        """From now on a thread writes the next record before this one is used up."""
        threading.Thread(target=self._watch, name="ehc-machine-audit", daemon=True).start()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Once, now."""
        with self._tally.lock:
            self._tally.closed = not self._blocks.renew()

    def end(self) -> None:
        """The last record; what is done after it is refused."""
        with self._tally.lock:
            if not self._ended.is_set():
                self._ended.set()
                self._blocks.end()
                self._tally.closed, self._tally.covers = True, lambda operations: False
