"""Frame in, readings out: the order in which a frame is looked at (README.md of this folder has the table).

What happens to pixels is C++ (ehc._frame), what finds and decodes symbols is zxing-cpp; here is only the order.
"""

from __future__ import annotations

import enum
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
from ehc._grey import locate, outlines
from ehc.crypto import parse_payload
from ehc.errors import InputError, PayloadError
from ehc.model import Payload
from ehc.reader.grey import Candidate, GreyReader, Rescued, Search, failed, located, said
from ehc.reader.sources import Frame

Grey = NDArray[np.uint8]
Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

SMALLEST_LEVEL = 300
"""Pixels of the longer side below which the pyramid stops: a code there has modules under a pixel."""
PART = 8
"""Pixels of the smallest level: a square whose mean level tells whether the frame has changed there."""
CHANGE = 2.0
"""Levels: the faintest code that can be read changes the means by more, noise by less."""
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
    version: int | None = None  # of a QR symbol, 1 to 40
    unused: float | None = None  # error correction that reading did not need, 0 to 1; None: not known


class Stopped(enum.StrEnum):
    """Why looking at a frame ended."""

    READ = "read"
    BUDGET = "budget"  # no time left for a further attempt
    NOTHING = "nothing"  # everything was tried
    UNCHANGED = "unchanged"  # the frame looks like one in which nothing was read and nothing even located


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


class Finding(NamedTuple):
    """Pixels in which we look ourselves for what zxing-cpp does not see."""

    stage: str
    search: Search
    level: int  # of the pyramid, as in Variant
    make: Callable[[FramePipeline, Grey], Grey]
    scale: float = 1.0  # pixels of the level a pixel


FINDINGS = (
    Finding("finder, half", locate, 1, lambda p, g: g),
    Finding("outline", outlines, 0, lambda p, g: g),
    Finding("finder, smooth", locate, 0, lambda p, g: p.smooth(g)),
    Finding("finder, half, smooth", locate, 1, lambda p, g: p.smooth(g)),
    Finding("finder, doubled, smooth", locate, 0, lambda p, g: p.smooth(p.twice(g)), scale=0.5),
)
"""By frames rescued a millisecond: most symbols are large enough at half the size, and noise is halved with it."""


class Reader:
    """Reads the codes of frames. One Reader a source: it remembers where the last health card was.

    tracking: look there first (a stream of frames); without it every frame stands alone (files).
    thorough: after a hit on a halved frame, look at the full one too, for smaller codes beside it.
    budget_ms: no further attempt starts after this time on a frame; the default is to try everything.
    """

    def __init__(self, *, tracking: bool = True, thorough: bool = False, budget_ms: float = math.inf) -> None:
        self._pipeline = FramePipeline()
        self._grey = GreyReader()
        self._tracking, self._thorough, self._budget = tracking, thorough, budget_ms
        self._nothing_in: Grey | None = None  # smallest level of the last frame that was looked at in vain
        self.stopped = Stopped.NOTHING
        """Why the last call of `read` ended."""

    def read(self, frame: Frame | Grey) -> list[Reading]:
        """What the frame holds, health cards first, dynamic ones before static ones; other codes after them.

        Looking ends with the first attempt that finds a health card; whatever else was seen up to then is in the list
        too. Raises InputError for pixels that do not fit their format.
        """
        if not isinstance(frame, Frame):
            frame = Frame.of(frame)
        look = _Look(self._budget, self._grey)
        try:
            grey = self._pipeline.luma(
                frame.pixels, frame.format, width=frame.width, height=frame.height, stride=frame.stride
            )
        except (ValueError, TypeError, BufferError) as error:
            raise InputError(f"{frame.name}: {error}") from error
        if grey.size:
            self._look(look, grey)
        if look.found:
            self._grey.forget()
        self.stopped = look.stopped()
        return look.readings()

    def _look(self, look: _Look, grey: Grey) -> None:
        look.grey = grey
        if self._tracking and self._in_region(look, grey):
            return
        levels = self._pyramid(grey)
        if self._tracking and self._seen_before(levels[-1]):
            look.unchanged = True
            return
        if look.through(_small_first(levels)) and self._thorough:
            look.at(View("full", grey))
        if not look.found:
            self._look_harder(look, levels)
        self._remember(look)
        self._nothing_in = levels[-1].copy() if look.in_vain() else None

    def _seen_before(self, smallest: Grey) -> bool:
        """Whether no part of the frame differs from the last one that was looked at in vain."""
        before = self._nothing_in
        if before is None or before.shape != smallest.shape:
            return False
        height, width = (side // PART * PART for side in smallest.shape)
        change = smallest[:height, :width].astype(np.int16) - before[:height, :width]
        parts = change.reshape(height // PART, PART, width // PART, PART).mean((1, 3))
        return bool(np.abs(parts).max(initial=0) < CHANGE)

    def _look_harder(self, look: _Look, levels: list[Grey]) -> None:
        """Nothing was read: other pixels for zxing-cpp, our own finder, and the grey core for what either locates."""
        for finding in FINDINGS:
            if finding.level < len(levels) and not look.over() and look.among(self._found(finding, levels)):
                return
        for variant in VARIANTS:
            if look.over() or look.at(self._varied(variant, levels), try_invert=False, **variant.options):
                return
        if self._tracking and look.fuse():
            return
        if not look.found:
            look.at(View("other symbologies", levels[0]), formats=SYMBOLOGIES, try_downscale=True)

    def _in_region(self, look: _Look, grey: Grey) -> bool:
        region = self._pipeline.region(grey.shape[1], grey.shape[0])
        if region is None:
            return False
        x, y, width, height = region
        if look.at(View("region of the last hit", grey[y : y + height, x : x + width], 1.0, x, y)):
            return True
        self._pipeline.miss()
        return False

    def _remember(self, look: _Look) -> None:
        if self._tracking and look.card:
            self._pipeline.hit(look.card.corners)

    def _found(self, finding: Finding, levels: list[Grey]) -> tuple[str, list[Candidate]]:
        source = levels[finding.level]
        if finding.scale < 1 and source.size > LARGEST_DOUBLED:
            return "", []
        pixels = finding.make(self._pipeline, source)
        return finding.stage, located(finding.search, pixels, finding.scale * 2.0**finding.level)

    def _pyramid(self, grey: Grey) -> list[Grey]:
        """The frame and its halves, largest first."""
        levels = [grey]
        while max(levels[-1].shape) >= 2 * SMALLEST_LEVEL and min(levels[-1].shape) > 1:
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

    def __init__(self, budget_ms: float, core: GreyReader) -> None:
        self._started, self._budget, self._core = time.perf_counter(), budget_ms, core
        self._attempts = 0
        self._tried: list[Candidate] = []
        self.grey: Grey = np.empty((0, 0), np.uint8)
        self.found: dict[tuple[str, str], Reading] = {}
        self.card: Reading | None = None
        self.unchanged = False

    def in_vain(self) -> bool:
        """Everything was tried, and not even a place located where a symbol may be."""
        return not self.found and not self._tried and not self.over()

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

    def through(self, views: Iterator[View]) -> bool:
        """Whether a health card was found in one of the views."""
        return any(self.at(view) for view in views if not self.over())

    def at(self, view: View | None, **options: Any) -> bool:
        """One attempt: all codes of the view; whether a health card is among them."""
        if view is None or self.over():
            return False
        self._attempts += 1
        settings = {"formats": BarcodeFormat.QRCodeModel2, "try_downscale": False, "return_errors": True, **options}
        barcodes = zxingcpp.read_barcodes(view.pixels, text_mode=zxingcpp.TextMode.Plain, **settings)
        for barcode in barcodes:
            if barcode.valid:
                self._take(barcode, view)
        if not self.found:
            self.among((view.stage, failed(barcodes, view.scale, view.x, view.y)))
        return self.card is not None

    def among(self, located: tuple[str, list[Candidate]]) -> bool:
        """The grey core on each candidate that was not tried yet; whether a health card is among them."""
        stage, candidates = located
        for candidate in candidates:
            if self.over() or any(_same(candidate, tried) for tried in self._tried):
                continue
            self._tried.append(candidate)
            self._attempts += 1
            rescued = self._core.read(self.grey, candidate, self._budget - self.milliseconds())
            if rescued:
                self._keep_rescued(f"grey core: {stage}", rescued)
        return self.card is not None

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
        corners = _corners(barcode.position, view)
        self._keep(view.stage, barcode.text, str(barcode.format), corners, said(barcode))

    def _keep_rescued(self, stage: str, rescued: Rescued) -> None:
        symbol, (a, b, c, d) = rescued.symbol, rescued.symbol.corners
        corners = ((a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1]))
        self._keep(stage, rescued.text, rescued.format, corners, (symbol.version, symbol.unused / symbol.parity))

    def _keep(
        self, stage: str, text: str, kind: str, corners: Corners, symbol: tuple[int | None, float | None]
    ) -> None:
        """symbol: its version and its unused error correction."""
        card, found = _taken_apart(text)
        spent = self.milliseconds()
        reading = Reading(text, kind, corners, stage, self._attempts, spent, card, found, *symbol)
        self.found.setdefault((reading.format, reading.payload), reading)
        if card and self.card is None:
            self.card = reading

    def readings(self) -> list[Reading]:
        return sorted(self.found.values(), key=lambda r: (r.card is None, not (r.card and r.card.dynamic)))


def _same(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates are one symbol: no corner is further away than a twentieth of a side."""
    side = math.dist(one.corners[0], one.corners[2]) / 1.4
    return all(math.dist(a, b) < side / 20 for a, b in zip(one.corners, other.corners, strict=True))


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
