"""One frame being looked at: attempts with zxing-cpp and with the grey core, what they found, and their time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from ehc.reader.grey import MODEL_2, Candidate, GreyReader, Rescued, failed, said
from ehc.reader.payloads import read_payload
from ehc.reader.readings import Corners, Reading, Stopped, Symbol

Grey = NDArray[np.uint8]
Threshold = Callable[[Grey], Grey | None]
LEAST_THRESHOLDED = 40
"""Pixels of a side; smaller ones zxing-cpp takes as a whole."""
LUM = zxingcpp.ImageFormat.Lum


class How(NamedTuple):
    """What `zxingcpp.read_barcodes` is asked for, in its order: arguments with names cost a hundredth of an easy frame.

    What it tries besides (turned, halved, inverted) is left out unless asked for: the levels, the grey core and its
    finder see to it at a tenth of the price."""

    formats: Any = MODEL_2
    try_rotate: bool = False
    try_downscale: bool = False
    try_invert: bool = False
    text_mode: zxingcpp.TextMode = zxingcpp.TextMode.Plain
    binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage
    is_pure: bool = False
    ean_add_on_symbol: zxingcpp.EanAddOnSymbol = zxingcpp.EanAddOnSymbol.Ignore
    return_errors: bool = True


SMALL, EVEN, BITS = How(), How(binarizer=zxingcpp.Binarizer.GlobalHistogram), How(binarizer=zxingcpp.Binarizer.BoolCast)
"""QR code alone: in few pixels; where nothing has contrast; where each pixel is known to be dark or light."""


FLATTEST = 0.08
"""Height by width of a code of bars. What zxing-cpp reads in a few rows alone is stripes and noise."""
_LINEAR = frozenset(zxingcpp.barcode_formats_list(zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.AllLinear)))


class View(NamedTuple):
    """Pixels to look at and where they lie in the frame."""

    stage: str
    pixels: Grey
    scale: float = 1.0  # pixels of the frame a pixel
    x: float = 0.0  # of its top left, in pixels of the frame
    y: float = 0.0
    trusted: bool = True  # False: pixels too far from what was seen to be read from; zxing-cpp locates only
    across: tuple[float, float] = (1.0, 0.0)  # where a pixel to the right of another lies from it, by `scale`
    down: tuple[float, float] = (0.0, 1.0)  # and one below it

    def corners(self, at: zxingcpp.Position) -> Corners:
        """Of a symbol in it, in pixels of the frame."""
        scale, (a, b), (c, d) = self.scale, self.across, self.down
        x, y = self.x + (scale - 1) / 2, self.y + (scale - 1) / 2
        a, b, c, d = scale * a, scale * b, scale * c, scale * d
        p, q, r, s = at.top_left, at.top_right, at.bottom_right, at.bottom_left
        return (
            (x + p.x * a + p.y * c, y + p.x * b + p.y * d),
            (x + q.x * a + q.y * c, y + q.x * b + q.y * d),
            (x + r.x * a + r.y * c, y + r.x * b + r.y * d),
            (x + s.x * a + s.y * c, y + s.x * b + s.y * d),
        )


class Look:
    """threshold: of pixels, for zxing-cpp, which takes twice as long with its own, of the same bits. grey: makes the
    whole frame's luma, for the grey core; it is not asked for before there is a candidate."""

    def __init__(self, budget_ms: float, core: GreyReader, threshold: Threshold, grey: Callable[[], Grey]) -> None:
        self._started, self._budget, self._core, self._threshold = time.perf_counter(), budget_ms, core, threshold
        self._attempts = 0
        self._tried: list[Candidate] = []
        self._seen = False  # what may be a symbol
        self.located = False  # places that may be one, at least
        self._grey = grey
        self.found: dict[tuple[str, str], Reading] = {}
        self.card: Reading | None = None
        self.scale = 1.0  # of the view in which zxing-cpp read it
        self.unchanged = False

    def in_vain(self) -> bool:
        """Everything was tried, and not even a place located where a symbol may be."""
        return not self.found and not self._seen and not self.over()

    def begin_anew(self) -> None:
        """What was found so far is not all that there may be."""
        self.found, self.card = {}, None

    def stopped(self) -> Stopped:
        if self.unchanged:
            return Stopped.UNCHANGED
        if self.found:
            return Stopped.READ
        return Stopped.BUDGET if self.over() else Stopped.NOTHING

    def milliseconds(self) -> float:
        return (time.perf_counter() - self._started) * 1e3

    def over(self) -> bool:
        return self.milliseconds() > self._budget

    def at(self, view: View, how: How | None = None) -> bool:
        """One attempt: all codes of the view; whether a health card is among them. how: QR code alone, unless it says
        more."""
        if self.over():
            return False
        self._attempts += 1
        barcodes = zxingcpp.read_barcodes(view.pixels, *how) if how else self._qr_codes(view.pixels)
        for barcode in barcodes:
            if barcode.valid and view.trusted and not _is_one_row(barcode):
                self._take(barcode, view)
        if self.card is not None:
            self.scale = view.scale
        if not self.found:
            self.among(view.stage, failed(barcodes, view.corners, all_of_them=not view.trusted))
        return self.card is not None

    def _qr_codes(self, pixels: Grey) -> list[zxingcpp.Barcode]:
        height, width = pixels.shape
        if min(height, width) < LEAST_THRESHOLDED:
            return zxingcpp.read_barcodes(pixels, *SMALL)
        bits = self._threshold(pixels)
        if bits is None:
            return zxingcpp.read_barcodes(pixels, *EVEN)
        return zxingcpp.read_barcodes(zxingcpp.ImageView(bits, width, height, LUM), *BITS)

    def among(self, stage: str, candidates: list[Candidate]) -> bool:
        """The grey core on each candidate that was not tried yet; whether a health card is among them."""
        self.located |= any(candidate.symbology == "QR Code" for candidate in candidates)
        return self._among(stage, candidates)

    def _among(self, stage: str, candidates: list[Candidate]) -> bool:
        if candidates and not self._tried:
            self._core.begin()
        for candidate in candidates:
            if self.over() or any(_same(candidate, tried) for tried in self._tried):
                continue
            self._tried.append(candidate)
            self._attempts += 1
            rescued = self._core.read(self._grey(), candidate, self._budget - self.milliseconds())
            self._seen |= self._core.waiting
            if rescued:
                self._keep_rescued(f"grey core: {stage}", rescued)
            if self.card:
                return True
        return False

    def where_it_was(self) -> bool:
        """The grey core where an earlier frame showed a symbol: it looks a few modules around, for a hand moves."""
        return self._among("where it was", self._core.expected)

    def fuse(self) -> bool:
        """This frame and those before it, read together."""
        if self.over():
            return False
        self._attempts += 1
        rescued = self._core.fused()
        if rescued:
            self._keep_rescued(f"grey core: {rescued.symbol.frames} frames", rescued)
        return self.card is not None

    def _take(self, barcode: zxingcpp.Barcode, view: View) -> None:
        corners = view.corners(barcode.position)
        self._keep(view.stage, barcode.text, str(barcode.format), corners, partial(said, barcode))

    def _keep_rescued(self, stage: str, rescued: Rescued) -> None:
        symbol, (a, b, c, d) = rescued.symbol, rescued.symbol.corners
        corners = ((a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1]))
        unused = symbol.unused / symbol.parity
        self._keep(stage, rescued.text, rescued.format, corners, lambda: (symbol.version, unused))

    def _keep(self, stage: str, text: str, kind: str, corners: Corners, symbol: Symbol) -> None:
        meaning = read_payload(text, kind)
        reading = Reading(text, kind, corners, stage, self._attempts, self.milliseconds(), meaning, symbol)
        self.found.setdefault((reading.format, reading.payload), reading)
        if reading.health_card and self.card is None:
            self.card = reading

    def readings(self) -> list[Reading]:
        if len(self.found) == 1:
            return list(self.found.values())
        return sorted(self.found.values(), key=lambda r: (not r.health_card, not (r.card and r.card.dynamic)))


def _same(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates are one look: no corner is further away than a sixtieth of a side, under a module. What
    was located on a small level is looked at again from where a larger one has it."""
    side = math.dist(one.corners[0], one.corners[2]) / 1.4
    return one.symbology == other.symbology and all(
        math.dist(a, b) < side / 60 for a, b in zip(one.corners, other.corners, strict=True)
    )


def _is_one_row(barcode: zxingcpp.Barcode) -> bool:
    at = barcode.position
    width = math.hypot(at.top_right.x - at.top_left.x, at.top_right.y - at.top_left.y)
    height = math.hypot(at.bottom_left.x - at.top_left.x, at.bottom_left.y - at.top_left.y)
    return barcode.format in _LINEAR and height < FLATTEST * width
