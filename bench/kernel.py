"""The derivation kernel itself, called from the same process as Python's derive_batch: the binding's own measure."""

from __future__ import annotations

import atexit
import ctypes
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import compiled
import numpy as np
from peers import Row

from ehc.crypto import Batch, hex_digits


@cache
def _kernels() -> ctypes.CDLL:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    library = ctypes.CDLL(str(compiled.ours_built(Path(folder))))
    library.derive_rows.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t] + [ctypes.c_void_p] * 3
    if library.best_tier() != 0:
        raise compiled.Failed("no tier of the kernels runs here")
    return library


class Rows:
    """Rows packed, and room for their cards."""

    def __init__(self, rows: list[Row]) -> None:
        self.batch, n = Batch.pack(rows), len(rows)
        self.mindex, self.card_id, self.status = (np.empty(shape, np.uint8) for shape in ((n, 32), (n, 32), n))
        ins = self.batch.data, self.batch.offsets, self.batch.id_lengths
        self._derive = _kernels().derive_rows
        self._in = [array.ctypes.data for array in ins]
        self._out = [array.ctypes.data for array in (self.mindex, self.card_id, self.status)]

    def derive(self) -> Any:
        self._derive(*self._in, len(self.status), *self._out)
        return self

    def card_ids(self) -> list[str]:
        return [row.tobytes().decode() for row in hex_digits(self.card_id)]
