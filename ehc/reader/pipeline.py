"""Frame in, readings out: the order in which a frame is looked at (README.md of this folder has the table).

What happens to pixels is C++ (ehc._frame), what finds and decodes symbols is zxing-cpp; here is only the order.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat

from ehc._frame import FramePipeline
from ehc.crypto import parse_payload
from ehc.errors import InputError, PayloadError
from ehc.model import Payload
from ehc.reader.sources import Frame

Grey = NDArray[np.uint8]
Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

SMALLEST_LEVEL = 300
"""Pixels of the longer side below which the pyramid stops: a code there has modules under a pixel."""
LARGEST_DOUBLED = 4_000_000
"""Pixels above which a frame is not doubled: its modules are large enough, and it would take a second."""
SYMBOLOGIES = [
    BarcodeFormat.QRCode,
    BarcodeFormat.MicroQRCode,
    BarcodeFormat.RMQRCode,
    BarcodeFormat.DataMatrix,
    BarcodeFormat.Aztec,
    BarcodeFormat.PDF417,
    BarcodeFormat.MaxiCode,
    BarcodeFormat.Code128,
    BarcodeFormat.Code39,
    BarcodeFormat.EANUPC,
    BarcodeFormat.ITF,
    BarcodeFormat.Codabar,
]
"""What is looked for last, so that a code that is no health card can be named. Ten times the price of QR alone."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One code that was read. repr shows neither its text nor what it says: both may be a person's."""

    payload: str = field(repr=False)  # the text in the symbol
    format: str  # "QR Code", "EAN-13" …
    corners: Corners  # clockwise from the symbol's own top left; pixels of the frame
    stage: str  # the attempt that read it, README.md
    attempts: int  # how many it took, this one included
    milliseconds: float  # from the start of the frame to this reading
    card: Payload | None = field(repr=False)  # taken apart, when it is an electronic health card
    found: str  # what it is: "an electronic health card (电子健康卡)", "an insurance code (医保电子凭证)" …


class View(NamedTuple):
    """Pixels to look at and where they lie in the frame."""

    stage: str
    pixels: Grey
    scale: float = 1.0  # pixels of the frame a pixel
    x: float = 0.0  # of its top left, in pixels of the frame
    y: float = 0.0


class Variant(NamedTuple):
    """A second look at a frame that no level of the pyramid could read."""

    stage: str
    level: int  # of the pyramid it starts from: 0 full, 1 half
    make: Callable[[FramePipeline, Grey], Grey]
    doubled: bool = False
    options: dict[str, Any] = {}  # noqa: RUF012  of zxing-cpp; nothing writes to it


VARIANTS = (
    Variant("smooth", 0, lambda p, g: p.smooth(g)),
    Variant("half, smooth", 1, lambda p, g: p.smooth(g)),
    Variant("half, sharpened", 1, lambda p, g: p.sharpen(g, 4)),
    Variant("smooth, threshold of 15", 0, lambda p, g: p.binarise(p.smooth(g), 15, 2)),
    Variant("dilated", 0, lambda p, g: p.dilate(g)),
    Variant("global threshold", 0, lambda p, g: g, options={"binarizer": zxingcpp.Binarizer.GlobalHistogram}),
    Variant("smooth, dilated", 0, lambda p, g: p.dilate(p.smooth(g))),
    Variant("smooth, threshold of 31", 0, lambda p, g: p.binarise(p.smooth(g), 31, 2)),
    Variant("doubled, smooth", 0, lambda p, g: p.smooth(p.twice(g)), doubled=True),
    Variant("doubled", 0, lambda p, g: p.twice(g), doubled=True),
    Variant("doubled, threshold of 31", 0, lambda p, g: p.binarise(p.twice(g), 31, 2), doubled=True),
    Variant("doubled, smooth, threshold of 31", 0, lambda p, g: p.binarise(p.smooth(p.twice(g)), 31, 2), doubled=True),
)
"""By frames rescued a millisecond on `degrade` photos (README.md has the rates). "dilated" and "global threshold" do
little there, and were among the best on real photos, where print grows and light is uneven."""


class Reader:
    """Reads the codes of frames. One Reader a source: it remembers where the last health card was.

    tracking: look there first (a stream of frames); without it every frame stands alone (files).
    thorough: after a hit on a halved frame, look at the full one too, for smaller codes beside it.
    budget_ms: no further attempt starts after this time on a frame; the default is to try everything.
    """

    def __init__(self, *, tracking: bool = True, thorough: bool = False, budget_ms: float = math.inf) -> None:
        self._pipeline = FramePipeline()
        self._tracking, self._thorough, self._budget = tracking, thorough, budget_ms

    def read(self, frame: Frame | Grey) -> list[Reading]:
        """What the frame holds, health cards first, dynamic ones before static ones; other codes after them.

        Looking ends with the first attempt that finds a health card; whatever else was seen up to then is in the list
        too. Raises InputError for pixels that do not fit their format.
        """
        if not isinstance(frame, Frame):
            frame = Frame.of(frame)
        look = _Look(self._budget)
        try:
            grey = self._pipeline.luma(
                frame.pixels, frame.format, width=frame.width, height=frame.height, stride=frame.stride
            )
        except (ValueError, TypeError, BufferError) as error:
            raise InputError(f"{frame.name}: {error}") from error
        if grey.size:
            self._look(look, grey)
        return look.readings()

    def _look(self, look: _Look, grey: Grey) -> None:
        if self._tracking and self._in_region(look, grey):
            return
        levels = self._pyramid(grey)
        if look.through(_small_first(levels)) and self._thorough:
            look.at(View("full", grey))
        if look.found:
            self._remember(look)
            return
        for variant in VARIANTS:
            if look.over():
                return
            if look.at(self._varied(variant, levels), try_invert=False, **variant.options):
                self._remember(look)
                return
        if not look.found:
            look.at(View("other symbologies", grey), formats=SYMBOLOGIES, try_downscale=True)

    def _in_region(self, look: _Look, grey: Grey) -> bool:
        region = self._pipeline.region(grey.shape[1], grey.shape[0])
        if region is None:
            return False
        x, y, width, height = region
        if look.at(View("region of the last hit", grey[y : y + height, x : x + width], 1.0, x, y)):
            self._remember(look)
            return True
        self._pipeline.miss()
        return False

    def _remember(self, look: _Look) -> None:
        if self._tracking and look.card:
            self._pipeline.hit(look.card.corners)

    def _pyramid(self, grey: Grey) -> list[Grey]:
        """The frame and its halves, largest first."""
        levels = [grey]
        while max(levels[-1].shape) >= 2 * SMALLEST_LEVEL:
            levels.append(self._pipeline.half(levels[-1]))
        return levels

    def _varied(self, variant: Variant, levels: list[Grey]) -> View | None:
        """None where the variant has no place: a small frame has no half, a large one is not doubled."""
        if variant.level >= len(levels):
            return None
        source = levels[variant.level]
        if variant.doubled and source.size > LARGEST_DOUBLED:
            return None
        scale = 2.0**variant.level / (2 if variant.doubled else 1)
        return View(variant.stage, variant.make(self._pipeline, source), scale)


def _small_first(levels: list[Grey]) -> Iterator[View]:
    for level in reversed(range(len(levels))):
        yield View("full" if level == 0 else f"1/{2**level}", levels[level], 2.0**level)


class _Look:
    """One frame being looked at: what was found, in how many attempts, and the time."""

    def __init__(self, budget_ms: float) -> None:
        self._started, self._budget = time.perf_counter(), budget_ms
        self._attempts = 0
        self.found: dict[tuple[str, str], Reading] = {}
        self.card: Reading | None = None

    def milliseconds(self) -> float:
        return (time.perf_counter() - self._started) * 1e3

    def over(self) -> bool:
        return self.milliseconds() > self._budget

    def through(self, views: Iterator[View]) -> bool:
        """Whether a health card was found in one of the views."""
        return any(self.at(view) for view in views if not self.over())

    def at(self, view: View | None, **options: Any) -> bool:
        """One attempt: all codes of the view; whether a health card is among them."""
        if view is None or self.over():
            return False
        self._attempts += 1
        settings = {"formats": BarcodeFormat.QRCodeModel2, "try_downscale": False, **options}
        for barcode in zxingcpp.read_barcodes(view.pixels, text_mode=zxingcpp.TextMode.Plain, **settings):
            self._take(barcode, view)
        return self.card is not None

    def _take(self, barcode: zxingcpp.Barcode, view: View) -> None:
        card, found = _taken_apart(barcode.text)
        reading = Reading(
            barcode.text,
            str(barcode.format),
            _corners(barcode.position, view),
            view.stage,
            self._attempts,
            self.milliseconds(),
            card,
            found,
        )
        self.found.setdefault((reading.format, reading.payload), reading)
        if card and self.card is None:
            self.card = reading

    def readings(self) -> list[Reading]:
        return sorted(self.found.values(), key=lambda r: (r.card is None, not (r.card and r.card.dynamic)))


def _taken_apart(text: str) -> tuple[Payload | None, str]:
    try:
        return parse_payload(text), "an electronic health card (电子健康卡)"
    except PayloadError as error:
        return None, error.found


def _corners(position: zxingcpp.Position, view: View) -> Corners:
    """Middles of pixels of the view, as pixels of the frame."""
    half = (view.scale - 1) / 2

    def place(point: zxingcpp.Point) -> tuple[float, float]:
        return view.x + point.x * view.scale + half, view.y + point.y * view.scale + half

    return (
        place(position.top_left),
        place(position.top_right),
        place(position.bottom_right),
        place(position.bottom_left),
    )
