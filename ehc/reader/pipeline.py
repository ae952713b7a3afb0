"""Frame in, readings out: the order in which a frame is looked at (README.md of this folder has the table).

What happens to pixels is C++ (ehc._frame), what finds and decodes symbols is zxing-cpp and the grey core (ehc._grey);
here is only the order. An attempt is in looking.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat

from ehc._frame import FramePipeline, active, change
from ehc._grey import locate, outlines
from ehc.errors import InputError
from ehc.reader.grey import Candidate, GreyReader, Search, located
from ehc.reader.looking import Look, View
from ehc.reader.readings import Reading, Stopped
from ehc.reader.sources import Frame

Grey = NDArray[np.uint8]

SMALLEST_LEVEL = 300
"""Pixels of the longer side below which the pyramid stops: a code there has modules under a pixel."""
MOST_TIMES = 4
"""A frame is halved at most so often."""
CHANGE = 2.0
"""Levels: the faintest code that can be read changes the mean of 8 x 8 pixels by more, noise by less."""
LARGEST_DOUBLED = 4_000_000
"""Pixels above which a frame is not doubled: its modules are large enough, and it would take a second."""
MARGIN = 0.25
"""Of the region around the last hit, in sides of it: what a hand does to a code from one frame to the next."""
ENOUGH = 3.0
"""Pixels a module that are enough to read a code again where it was read before."""
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


class Variant(NamedTuple):
    """Other pixels for zxing-cpp: a second look at a frame that no level of the pyramid could read."""

    stage: str
    times: int  # halvings of the frame it starts from
    make: Callable[[FramePipeline, Grey], Grey]
    doubled: bool = False
    trusted: bool = True  # False: only to locate with


VARIANTS = (
    Variant("smooth", 0, lambda p, g: p.smooth(g)),
    Variant("half, sharpened", 1, lambda p, g: p.sharpen(g, 4)),
    Variant("smooth, threshold of 15", 0, lambda p, g: p.binarise(p.smooth(g), 15, 2)),
    Variant("smooth, dilated", 0, lambda p, g: p.dilate(p.smooth(g)), trusted=False),
    Variant("doubled, smooth", 0, lambda p, g: p.smooth(p.twice(g)), doubled=True),
)
"""Those that were the first to read or to locate something, behind the grey core and its finder: 6 of 437 photos of
the sheet, 3 of 213 photographs. Seven others were not, and are gone. What a dilation shows is not trusted: it gave the
one misread among the photographs."""


class Finding(NamedTuple):
    """Pixels in which we look ourselves for what zxing-cpp does not see."""

    stage: str
    search: Search
    times: int  # halvings, as in Variant
    make: Callable[[FramePipeline, Grey], Grey]
    doubled: bool = False


FINDINGS = (
    Finding("finder, half", locate, 1, lambda p, g: g),
    Finding("outline", outlines, 0, lambda p, g: g),
    Finding("finder, smooth", locate, 0, lambda p, g: p.smooth(g)),
    Finding("finder, half, smooth", locate, 1, lambda p, g: p.smooth(g)),
    Finding("finder, doubled, smooth", locate, 0, lambda p, g: p.smooth(p.twice(g)), doubled=True),
)
"""By frames rescued a millisecond: most symbols are large enough at half the size, and noise is halved with it."""


class Levels:
    """A frame at its sizes, each made from its pixels when it is first asked for. Raises InputError for pixels that do
    not fit their format."""

    def __init__(self, pipeline: FramePipeline, frame: Frame) -> None:
        self._pipeline, self._frame, self._made = pipeline, frame, dict[int, Grey]()
        shape = frame.pixels.shape if isinstance(frame.pixels, np.ndarray) else ()
        self.height, self.width = shape[:2] if len(shape) > 1 else (frame.height, frame.width)
        self.smallest = 0  # halvings of the smallest level
        longer, shorter = max(self.height, self.width), min(self.height, self.width)
        while (
            self.smallest < MOST_TIMES
            and longer >> self.smallest >= 2 * SMALLEST_LEVEL
            and shorter >> self.smallest > 1
        ):
            self.smallest += 1

    def at(self, times: int) -> Grey:
        """The frame, halved so many times."""
        made = self._made.get(times)
        if made is None:
            made = self._made[times] = self.part(times, None)
        return made

    def full(self) -> Grey:
        return self.at(0)

    def part(self, times: int, box: tuple[int, int, int, int] | None) -> Grey:
        """Of the frame: x, y, width, height; None: all of it."""
        frame = self._frame
        try:
            return self._pipeline.luma(
                frame.pixels,
                frame.format,
                times=times,
                box=box,
                width=frame.width,
                height=frame.height,
                stride=frame.stride,
            )
        except (ValueError, TypeError, BufferError) as error:
            raise InputError(f"{frame.name}: {error}") from error


class Reader:
    """Reads the codes of frames. One Reader a source: it remembers where the last health card was.

    tracking: look there first (a stream of frames); without it every frame stands alone (files).
    thorough: after a hit on a halved frame, look at the full one too, for smaller codes beside it.
    budget_ms: no further attempt starts after this time on a frame; the default is to try everything.
    """

    def __init__(self, *, tracking: bool = True, thorough: bool = False, budget_ms: float = math.inf) -> None:
        self._pipeline = FramePipeline(margin=MARGIN)
        self._grey = GreyReader()
        self._tracking, self._thorough, self._budget = tracking, thorough, budget_ms
        self._region_times = 0  # halvings at which the last hit has enough pixels
        self._last = 0  # hash of its payload
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
        levels = Levels(self._pipeline, frame)
        look = Look(self._budget, self._grey, levels.full)
        if levels.at(levels.smallest).size:
            self._look(look, levels)
        if look.found:
            self._grey.forget()
        self.stopped = look.stopped()
        return look.readings()

    def _look(self, look: Look, levels: Levels) -> None:
        if self._tracking and self._in_region(look, levels):
            return
        smallest = levels.at(levels.smallest)
        if self._tracking and self._seen_before(smallest):
            look.unchanged = True
            return
        if self._through(look, levels):
            self._remember(look)
        self._nothing_in = smallest.copy() if self._tracking and look.in_vain() else None

    def _seen_before(self, smallest: Grey) -> bool:
        """Whether no part of the frame differs from the last one that was looked at in vain."""
        before = self._nothing_in
        return before is not None and before.shape == smallest.shape and change(before, smallest) < CHANGE

    def _through(self, look: Look, levels: Levels) -> bool:
        """Levels small first, and then what is left; whether a health card was found."""
        smallest = levels.smallest
        hit = look.at(View(_named(smallest), levels.at(smallest), 2.0**smallest))
        if not hit and smallest:
            box = active(levels.at(1))
            if box is None:
                return False  # nothing but noise
            hit = any(look.at(_cut(levels, times, box)) for times in reversed(range(smallest)))
        if hit and self._thorough and smallest:
            look.at(View("full", levels.full()))
        return hit or (not look.found and self._look_harder(look, levels))

    def _look_harder(self, look: Look, levels: Levels) -> bool:
        """Nothing was read: our own finder, other pixels for zxing-cpp, and the grey core for what either locates."""
        for finding in FINDINGS:
            if look.over() or look.among(*self._found(finding, levels)):
                return look.card is not None
        for variant in VARIANTS:
            if self._fits(variant, levels) and not look.over() and look.at(self._varied(variant, levels)):
                return True
        if self._tracking and look.fuse():
            return True
        return not look.found and look.at(
            View("other symbologies", levels.full()), SYMBOLOGIES, try_rotate=True, try_invert=True, try_downscale=True
        )

    def _in_region(self, look: Look, levels: Levels) -> bool:
        region = self._pipeline.region(levels.width, levels.height)
        if region is None:
            return False
        times = self._region_times
        pixels = levels.part(times, region)
        if look.at(View("region of the last hit", pixels, 2.0**times, region[0], region[1])):
            if self._followed(look):
                self._remember(look)
                return True
            look.begin_anew()  # another card where the last one was: whose else is there is to be seen too
            return False
        self._pipeline.miss()
        return False

    def _followed(self, look: Look) -> bool:
        return look.card is not None and hash(look.card.payload) == self._last

    def _remember(self, look: Look) -> None:
        if not self._tracking or look.card is None:
            return
        self._last = hash(look.card.payload)
        corners, version = look.card.corners, look.card.version or 5
        self._pipeline.hit(corners)
        module = min(math.dist(corners[k], corners[k - 1]) for k in range(4)) / (17 + 4 * version)
        self._region_times = max(0, min(MOST_TIMES, math.floor(math.log2(max(module, 1) / ENOUGH))))

    def _fits(self, what: Variant | Finding, levels: Levels) -> bool:
        """A small frame has no half, a large one is not doubled."""
        return what.times <= levels.smallest and (not what.doubled or levels.full().size <= LARGEST_DOUBLED)

    def _found(self, finding: Finding, levels: Levels) -> tuple[str, list[Candidate]]:
        if not self._fits(finding, levels):
            return "", []
        pixels = finding.make(self._pipeline, levels.at(finding.times))
        return finding.stage, located(finding.search, pixels, _scale(finding))

    def _varied(self, variant: Variant, levels: Levels) -> View:
        pixels = variant.make(self._pipeline, levels.at(variant.times))
        return View(variant.stage, pixels, _scale(variant), trusted=variant.trusted)


def _scale(what: Variant | Finding) -> float:
    """Pixels of the frame a pixel."""
    return 2.0**what.times / (2 if what.doubled else 1)


def _named(times: int) -> str:
    return f"1/{2**times}" if times else "full"


def _cut(levels: Levels, times: int, box: tuple[int, int, int, int]) -> View:
    """The active box (of the first halving) at another level."""
    scale = 2.0 ** (1 - times)
    x, y, width, height = (math.floor(side * scale) for side in box)
    pixels = levels.at(times)
    right, bottom = min(x + width + 1, pixels.shape[1]), min(y + height + 1, pixels.shape[0])
    return View(_named(times), pixels[y:bottom, x:right], 2.0**times, x * 2.0**times, y * 2.0**times)
