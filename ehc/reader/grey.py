"""Symbols that zxing-cpp locates and cannot decode, and those that it does not even locate, read by the grey core.

    failed reads, or the finder -> corners -> GreyCore (native/grey) -> clean modules -> zxing-cpp -> text

The text of a QR symbol is zxing-cpp's, from the corrected symbol drawn clean, so that characters and extensions mean
the same whoever read the symbol. Han Xin code, which zxing-cpp does not know, is ours up to the text (hanxin.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from ehc._grey import GreyCore, GreySymbol
from ehc.reader import hanxin

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
MODEL_2 = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
Grey = NDArray[np.uint8]
Quad = Sequence[Sequence[float]]
Place = Callable[[zxingcpp.Position], Quad]
"""From the pixels of a view to the frame's."""


class Candidate(NamedTuple):
    """Where a symbol may be, in pixels of the frame, and of which version; 0: unknown (QR only)."""

    corners: Quad  # clockwise from the symbol's own top left
    version: int
    symbology: str = "QR Code"  # or hanxin.FORMAT


class Rescued(NamedTuple):
    """A symbol that the grey core read."""

    text: str
    format: str
    symbol: GreySymbol


LONGEST_MS = {"QR Code": 12.0, hanxin.FORMAT: 40.0}
"""No further look at one candidate starts after this: whoever is not read by then hardly ever is. Han Xin code,
whose few candidates come late, may take what a busy machine makes of it."""


class GreyReader:
    """One a source of frames: it remembers what it saw of a symbol that it could not read yet."""

    def __init__(self) -> None:
        self._cores = {"QR Code": GreyCore(), hanxin.FORMAT: GreyCore(hanxin.FORMAT)}
        self._asked = False  # since they forgot

    def begin(self) -> None:
        """A new frame."""
        for core in self._cores.values():
            core.begin()

    def read(self, grey: Grey, candidate: Candidate, budget_ms: float = math.inf) -> Rescued | None:
        """No further look at the symbol starts after budget_ms."""
        self._asked = True
        kind = candidate.symbology
        symbol = self._cores[kind].read(grey, candidate.corners, candidate.version, min(budget_ms, LONGEST_MS[kind]))
        return _text_of(symbol, kind)

    @property
    def waiting(self) -> bool:
        """Whether something was seen that may be a QR symbol, and could not be read."""
        return self._cores["QR Code"].waiting

    @property
    def expected(self) -> list[Candidate]:
        """Where the QR symbol was last that earlier frames showed and that could not be read."""
        expected = self._cores["QR Code"].expected
        return [Candidate(*expected)] if expected else []

    def fused(self) -> Rescued | None:
        """What this frame and those before it show together, where none was enough alone."""
        found = [_text_of(core.fuse(), kind) for kind, core in self._cores.items()]
        return next(filter(None, found), None)

    def forget(self) -> None:
        """The frames so far: a symbol was read."""
        if self._asked:
            for core in self._cores.values():
                core.forget()
            self._asked = False


def failed(barcodes: Iterable[zxingcpp.Barcode], corners: Place, *, all_of_them: bool = False) -> list[Candidate]:
    """Of the QR symbols that zxing-cpp found in a view, those that it could not decode; or all of them."""
    return [
        Candidate(corners(barcode.position), said(barcode)[0] or 0)
        for barcode in barcodes
        if (all_of_them or not barcode.valid) and barcode.symbology == zxingcpp.BarcodeFormat.QRCode
    ]


def said(barcode: zxingcpp.Barcode) -> tuple[int | None, float | None]:
    """Version and unused error correction of a QR symbol, as far as zxing-cpp says them."""
    extra: dict[str, Any] = barcode.extra if isinstance(barcode.extra, dict) else {}
    version = str(extra.get("Version", ""))  # rMQR's are not numbers
    return int(version) if version.isdecimal() else None, extra.get("UEC")


Search = Callable[[Grey], list[tuple[list[list[float]], int]]]


def located(
    search: Search, pixels: Grey, scale: float, x: float = 0, y: float = 0, *, symbology: str = "QR Code"
) -> list[Candidate]:
    """What a search (locate, outlines) takes for symbols in a view of a frame; scale, x and y as in looking.View."""
    half = (scale - 1) / 2
    return [
        Candidate([(x + u * scale + half, y + v * scale + half) for u, v in corners], version, symbology)
        for corners, version in search(pixels)
    ]


def _text_of(symbol: GreySymbol | None, kind: str) -> Rescued | None:
    if symbol is None:
        return None
    if kind == hanxin.FORMAT:
        text = hanxin.text_of(symbol.data)
        return None if text is None else Rescued(text, kind, symbol)
    light = np.pad(255 * (1 - symbol.modules), 4, constant_values=255).astype(np.uint8)
    clean = light.repeat(3, 0).repeat(3, 1)
    read = zxingcpp.read_barcode(clean, formats=QR, text_mode=zxingcpp.TextMode.Plain, is_pure=True)
    return Rescued(read.text, str(read.format), symbol) if read and read.valid else None
