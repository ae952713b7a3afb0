"""Frame in, readings out: the order in which a frame is looked at (README.md of this folder has the table).

What happens to pixels is C++ (ehc._frame), what finds and decodes symbols is zxing-cpp and the grey core (ehc._grey);
here is only the order. An attempt is in looking.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat

from ehc._frame import FramePipeline, active, glanced_by, halvings
from ehc._grey import locate, outlines
from ehc.errors import InputError
from ehc.reader import hanxin
from ehc.reader.bars import BARS, upright_bars
from ehc.reader.grey import GreyReader, Search, located
from ehc.reader.looking import How, Look, View
from ehc.reader.readings import Reading, Stopped
from ehc.reader.sources import Frame

Grey = NDArray[np.uint8]
T = TypeVar("T")

MOST_TIMES = 4
"""A frame is halved at most so often."""
LARGEST_DOUBLED = 4_000_000
"""Pixels above which a frame is not doubled: its modules are large enough, and it would take a second."""
MARGIN = 0.25
"""Of the region around the last hit, in sides of it: what a hand does to a code from one frame to the next."""
SMALL = 200_000
"""Pixels of the part of a frame that holds anything, under which zxing-cpp on the full level costs less than our finder
and what the grey core makes of it."""
LITTLE = 100_000
"""Pixels of such a part under which our finder on more pixels is made although nothing is located: a code there has
modules under two pixels."""
ENOUGH = 3.0
"""Pixels a module that are enough to read a code again where it was read before, and not on as small a level."""
SYMBOLOGIES = [
    BarcodeFormat.QRCode,
    BarcodeFormat.MicroQRCode,
    BarcodeFormat.RMQRCode,
    BarcodeFormat.DataMatrix,
    BarcodeFormat.Aztec,
    BarcodeFormat.MaxiCode,
    *BARS,
]
"""What is looked for last, so that a code that is no health card can be named. Ten times the price of QR alone."""
ANYTHING = How(SYMBOLOGIES, try_rotate=True, try_downscale=True, try_invert=True)
ONLY_BARS = How(BARS)


Make = Callable[[FramePipeline, Grey], Grey]
Box = tuple[int, int, int, int]  # x, y, width, height; pixels of the frame
Step = Callable[[], bool]  # an attempt; whether it found a health card


class Variant(NamedTuple):
    """Other pixels for zxing-cpp: a second look at a frame that no level of the pyramid could read."""

    stage: str
    times: int  # halvings of the frame it starts from
    make: Make
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
    times: int | None  # halvings, as in Variant; None: the smallest level
    make: Make
    doubled: bool = False
    whole: bool = False  # of the frame, not of what is dense in it
    symbology: str = "QR Code"


FINDINGS = (
    Finding("outline", outlines, None, lambda p, g: g, whole=True),
    Finding("finder, half", locate, 1, lambda p, g: g),
)
"""In every frame that zxing-cpp does not read from its smaller levels; by frames rescued a millisecond. The outline
alone finds 80 of 94 hard frames, on the smallest level more than on the full one."""

LAST_FINDINGS = (Finding("finder, smooth", locate, 0, lambda p, g: p.smooth(g)),)
"""Behind the full level, whether something was located or not: of 72 photos of the mix at its worst it reads seven
more. A sheet of text costs 1.3 ms more for it."""

FURTHER_FINDINGS = (
    Finding("finder, doubled, smooth", locate, 0, lambda p, g: p.smooth(p.twice(g)), doubled=True),
    Finding("outline, threshold of 15", outlines, 1, lambda p, g: p.smooth(p.binarise(p.smooth(g), 15, 5)), whole=True),
    Finding("outline, full", outlines, 0, lambda p, g: g, whole=True),
    Finding("finder, half, smooth", locate, 1, lambda p, g: p.smooth(g)),
)
"""Where something was located."""
HAN_XIN = tuple(Finding(*how, symbology=hanxin.FORMAT) for how in hanxin.FINDINGS)
EVERY = 4
"""Of a stream's frames in which nothing was located, each so-manyth goes on with one of the further attempts."""


class Levels:
    """A frame at its sizes, each made from its pixels when it is first asked for. Raises InputError for pixels that do
    not fit their format."""

    def __init__(self, pipeline: FramePipeline, frame: Frame) -> None:
        self._pipeline, self._frame = pipeline, frame
        self._made: dict[int, Grey] = {}
        shape = frame.pixels.shape if isinstance(frame.pixels, np.ndarray) else ()
        self.height, self.width = shape[:2] if len(shape) > 1 else (frame.height, frame.width)
        self.smallest = 0  # halvings of the smallest level, once glanced at
        self.first: View | None = None  # what comes before that level, if there is something

    def glance(self) -> bool:
        """Whether the frame differs from the last one that held nothing; its first pixels are there then."""
        level = self._ask(self._pipeline.glance)
        if level is None:
            return False
        self.smallest, by = halvings(self.width, self.height), glanced_by(self.width, self.height)
        if by == 2**self.smallest:
            self._made[self.smallest] = level
        else:
            self.first = View(f"1/{by}", level, float(by))
        return True

    def at(self, times: int) -> Grey:
        """The frame, halved so many times."""
        made = self._made.get(times)
        if made is None:
            made = self._made[times] = self.part(times, None)
        return made

    def whole(self) -> Box:
        return 0, 0, self.width, self.height

    def full(self) -> Grey:
        return self.at(0)

    def part(self, times: int, box: Box | None) -> Grey:
        """Of the frame: x, y, width, height; None: all of it."""
        return self._ask(self._pipeline.luma, times, box)

    def _ask(self, of_pipeline: Callable[..., T], *how: Any) -> T:
        """What the pipeline makes of the frame's pixels."""
        frame = self._frame
        try:
            return of_pipeline(frame.pixels, frame.format, *how, frame.width, frame.height, frame.stride)
        except (ValueError, TypeError, BufferError) as error:
            raise InputError(f"{frame.name}: {error}") from error


class Reader:
    """Reads the codes of frames. One Reader a source: it remembers where the last health card was.

    tracking: look there first (a stream of frames); without it every frame stands alone (files).
    thorough: after a hit on a halved frame, look at the full one too, for smaller codes beside it; and make the dear
    attempts where nothing is located, too.
    budget_ms: no further attempt starts after this time on a frame; the default is to try everything.
    """

    def __init__(self, *, tracking: bool = True, thorough: bool = False, budget_ms: float = math.inf) -> None:
        self._pipeline = FramePipeline(MARGIN)
        self._grey = GreyReader()
        self._tracking, self._thorough, self._budget = tracking, thorough, budget_ms
        self._region_times = [0]  # halvings at which the region of the last hit is looked at, in this order
        self._last = 0  # hash of its payload
        self._side = 1  # modules of its symbol's side
        self._vain = 0  # frames in which nothing was located
        self._following = False  # whether there is a region of the last hit
        self._left = 0  # dear attempts that the scene of the last frame has not had
        self._held: int | None = None  # the one of them that read the last frame
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
        changed = self._following or levels.glance()
        if not changed and not self._left:  # the camera of a window without a queue
            self.stopped = Stopped.UNCHANGED
            return []
        look = Look(self._budget, self._grey, self._pipeline.threshold, levels.full)
        if levels.width and levels.height:
            self._look(look, levels, changed)
        if look.found:
            self._grey.forget()
        self.stopped = look.stopped()
        return look.readings()

    def _look(self, look: Look, levels: Levels, changed: bool) -> None:
        if self._following:
            if self._in_region(look, levels):
                return
            changed = levels.glance()
        if (self._through if changed else self._in_turn)(look, levels):
            self._remember(look)
        look.unchanged = not changed and not look.found
        if self._tracking and not look.unchanged:
            (self._pipeline.held_nothing if look.in_vain() else self._pipeline.held_something)()

    def _through(self, look: Look, levels: Levels) -> bool:
        """Levels small first, and then what is left; whether a health card was found."""
        smallest, self._left = levels.smallest, 0
        hit = levels.first is not None and look.at(levels.first)
        hit = hit or look.at(View(_named(smallest), levels.at(smallest), 2.0**smallest))
        box = None if hit else _where(levels)
        if box is not None:
            hit = any(look.at(_cut(levels, times, box)) for times in reversed(range(1, smallest)))
        if hit and self._thorough and smallest:
            look.at(View("full", levels.full()))
        return hit or (box is not None and self._look_closer(look, levels, box))

    def _look_closer(self, look: Look, levels: Levels, box: Box) -> bool:
        """The full level and our own finder, the cheaper one first; and what is dear where something was located."""
        full = [partial(look.at, _cut(levels, 0, box))] if levels.smallest else []
        ours, last = (
            [partial(self._find, how, look, levels, box) for how in some] for some in (FINDINGS, LAST_FINDINGS)
        )
        first = full + ours if box[2] * box[3] < SMALL else ours + full
        if any(step() for step in (*first, *last)) or (self._tracking and look.where_it_was()) or look.found:
            return look.card is not None
        further = self._further(look, levels, box)
        if look.located or self._thorough or not levels.smallest:
            return self._again(further, look) or self._each(further)
        if box[2] * box[3] < LITTLE and any(step() for step in further[: len(FURTHER_FINDINGS)]):
            return True
        self._left = len(further)
        if not self._tracking:
            return self._bars(look, levels) or self._han_xin(look, levels, box)
        return look.fuse() or self._again(further, look) or self._in_turn(look, levels)

    def _each(self, further: list[Step]) -> bool:
        for turn, step in enumerate(further):
            if step():
                self._held = turn
                return True
        return False

    def _again(self, further: list[Step], look: Look) -> bool:
        """What read the last frame of the stream, until it reads nothing."""
        if self._held is None:
            return False
        hit = further[self._held]()
        if not look.found:
            self._held = None
        return hit

    def _in_turn(self, look: Look, levels: Levels) -> bool:
        """In every so-manyth frame in which nothing is located the next of the dear attempts, each once a scene."""
        self._vain += 1
        box = None if look.found or self._vain % EVERY or not self._left else _where(levels)
        if box is None:
            return False
        further = self._further(look, levels, box)
        turn = -(self._vain // EVERY) % len(further)  # other symbologies first
        self._left -= 1
        hit = further[turn]()
        if look.found:
            self._held = turn
        return hit

    def _further(self, look: Look, levels: Levels, box: Box) -> list[Step]:
        """What is dear: our own finder on more pixels, other pixels for zxing-cpp, other symbologies."""
        steps: list[Step] = [partial(self._find, finding, look, levels, box) for finding in FURTHER_FINDINGS]
        steps += [partial(self._vary, variant, look, levels, box) for variant in VARIANTS]
        if self._tracking:
            steps.append(look.fuse)
        steps.append(partial(self._han_xin, look, levels, box))
        return [*steps, lambda: self._bars(look, levels) or _other_symbologies(look, levels)]

    def _bars(self, look: Look, levels: Levels) -> bool:
        """PDF417 and one-dimensional codes at any turn."""
        for view in upright_bars(self._pipeline, levels.at, levels.smallest):
            if look.found or look.over():
                break
            look.at(view, ONLY_BARS)
        return look.card is not None

    def _han_xin(self, look: Look, levels: Levels, box: Box) -> bool:
        return any(self._find(finding, look, levels, box) for finding in HAN_XIN)

    def _find(self, finding: Finding, look: Look, levels: Levels, box: Box) -> bool:
        times = levels.smallest if finding.times is None else finding.times
        if look.found or look.over() or not _fits(times, finding.doubled, levels, box):
            return False
        view = _cut(levels, times, levels.whole() if finding.whole else box)
        pixels, scale = finding.make(self._pipeline, view.pixels), view.scale / (2 if finding.doubled else 1)
        return look.among(
            finding.stage, located(finding.search, pixels, scale, view.x, view.y, symbology=finding.symbology)
        )

    def _vary(self, variant: Variant, look: Look, levels: Levels, box: Box) -> bool:
        if look.found or not _fits(variant.times, variant.doubled, levels, box):
            return False
        view = _cut(levels, variant.times, box)
        pixels, scale = variant.make(self._pipeline, view.pixels), view.scale / (2 if variant.doubled else 1)
        return look.at(View(variant.stage, pixels, scale, view.x, view.y, trusted=variant.trusted))

    def _in_region(self, look: Look, levels: Levels) -> bool:
        region = self._pipeline.region(levels.width, levels.height)
        self._following = region is not None
        if region is None:
            return False
        for times in self._region_times:
            view = View("region of the last hit", levels.part(times, region), 2.0**times, region[0], region[1])
            if not look.at(view):
                continue
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
        if not self._tracking or look.card is None or look.card.format == hanxin.FORMAT:
            return  # a region is looked at with zxing-cpp; a Han Xin symbol is found again by what found it
        if self._last != hash(look.card.payload):
            self._last, self._side = hash(look.card.payload), 17 + 4 * (look.card.version or 5)
        corners = look.card.corners
        self._pipeline.hit(corners)
        self._following = True
        module = min(math.dist(corners[k], corners[k - 1]) for k in range(4)) / self._side
        enough = max(0, min(MOST_TIMES, math.floor(math.log2(max(module, 1) / ENOUGH))))
        times = max(0, math.floor(math.log2(look.scale)))  # halvings at which it was read
        self._region_times = [times, enough] if times > enough else [enough]


def _fits(times: int, doubled: bool, levels: Levels, box: Box) -> bool:
    """A small frame has no half, a large part of one is not doubled."""
    return times <= levels.smallest and not (doubled and box[2] * box[3] > LARGEST_DOUBLED)


def _other_symbologies(look: Look, levels: Levels) -> bool:
    return not look.found and look.at(View("other symbologies", levels.full()), ANYTHING)


def _named(times: int) -> str:
    return f"1/{2**times}" if times else "full"


def _where(levels: Levels) -> Box | None:
    """Of the frame, what has more than noise and edges; all of a small one."""
    if not levels.smallest:
        return levels.whole()
    box = active(levels.at(1))
    return box and (2 * box[0], 2 * box[1], 2 * box[2], 2 * box[3])


def _cut(levels: Levels, times: int, box: Box) -> View:
    """A box of the frame at one of its levels."""
    x, y, scale, pixels = box[0] >> times, box[1] >> times, 2.0**times, levels.at(times)
    right, bottom = (box[0] + box[2] >> times) + 1, (box[1] + box[3] >> times) + 1
    return View(_named(times), pixels[y:bottom, x:right], scale, x * scale, y * scale)
