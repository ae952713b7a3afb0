"""The field's TCP host protocol (主机指令; native/README.md, "Frames"): codes, the machine's end, the client's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ehc import _native
from ehc._native import HostMachine
from ehc.crypto.batch import Batch, DerivedBatch, Padding, RowError
from ehc.errors import STATUS

__all__ = ["CODES", "OPERATIONS", "HostBatch", "HostMachine", "answer_room"]

MAKE, OPEN = 1, 2
"""What a key may be used for: EHC_HOST_MAKE, EHC_HOST_OPEN."""

CODES: dict[int, str] = {
    0: "done",
    10: "no such command",
    11: "the frame ends before its fields do",
    12: "the frame goes on behind its fields",
    13: "a field holds what it may not",
    14: "an algorithm or mode that is not offered",
    15: "not factor and its complement, or a count of factors other than 00 and 01",
    16: "a padding that is not offered",
    17: "a length of data that the command does not take",
    20: "no key of that name",
    21: "the key's state does not allow this",
    22: "no time before sealing or after opening: not made under this key",
    30: "a self-test failed: the machine refuses work",
    31: "the audit log cannot be written: the machine refuses work",
    32: "too many connections",
    33: "who asks may not ask this machine",
    39: "a fault of the machine's own",
}
"""Code of an answer -> what it says."""

OPERATIONS = (
    "digest", "card_made", "card_opened", "validity_made", "validity_opened", "device", "refused",
)  # fmt: skip
"""Rows of HostMachine.counts."""

_ANSWER_MORE = 512  # EHC_HOST_ANSWER_MORE
_ROW = 100  # EHC_HOST_ROW
_TOO_LONG = "row: over 9,999 bytes, which no frame carries"


def answer_room(frames: int) -> int:
    """Bytes in which the answer to any frame of a buffer of so many bytes finds room."""
    return frames + _ANSWER_MORE


class HostBatch:
    """A batch that a machine at the other end of a line makes cards of."""

    def __init__(self, batch: Batch, padding: Padding = "full", known: HostBatch | None = None) -> None:
        """known: the same batch, done under another key: its digests are taken over, and only cards asked for."""
        n = len(batch)
        self._errors, self.has_mindex = batch.errors, known is not None
        self.mindex, self.card_id = np.zeros((n, 32), np.uint8), np.zeros((n, 32), np.uint8)
        self.codes, self._lengths = np.zeros(n, np.uint8), np.full(n, 32, np.uint8)
        if padding == "minimal":
            self._lengths[batch.id_lengths <= 16] = 16
        if known is not None:
            self.mindex, self.codes = known.mindex, known.codes.copy()
        self.rows = _native.HostRows(
            batch.data, batch.offsets, batch.id_lengths, self._lengths, self.mindex, self.card_id, self.codes
        )

    def __len__(self) -> int:
        return len(self.codes)

    def refusals(self) -> set[int]:
        """Codes that the machine answered, of all rows."""
        return {int(code) for code in np.unique(self.codes) if 0 < code < _ROW}

    def derived(self) -> DerivedBatch:
        """The cards; a row that was not asked, or got a code, is an error."""
        lengths = self._lengths.copy()
        bad = np.flatnonzero(self.codes)
        self.mindex[bad], self.card_id[bad], lengths[bad] = 0, 0, 0
        return DerivedBatch(self.mindex, self.card_id, _errors(self.codes, bad.tolist(), self._errors), lengths)


def _errors(codes: NDArray[np.uint8], bad: Sequence[int], packing: Sequence[RowError]) -> tuple[RowError, ...]:
    reasons = {row: _reason(int(codes[row])) for row in bad}
    reasons.update(packing)  # packing knows more
    return tuple(RowError(row, reasons[row]) for row in sorted(reasons))


def _reason(code: int) -> str:
    if code >= _ROW:
        return STATUS.get(code - _ROW, _TOO_LONG)
    return f"row: the crypto machine answered {code:02}, {CODES.get(code, 'a code that is not documented')}"
