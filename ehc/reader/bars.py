"""Bars at any turn: PDF417 and one-dimensional codes, which zxing-cpp reads within a few degrees of an image's axes.

Where bars stand is found by how the levels change (native/frame/bars.cpp); here they are shown to zxing-cpp upright.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from zxingcpp import BarcodeFormat

from ehc._frame import FramePipeline, bars, edges
from ehc.reader.looking import View

Grey = NDArray[np.uint8]
Level = Callable[[int], Grey]  # the frame, halved so many times
Place = tuple[float, float]  # x, y; pixels of the frame
Corners = tuple[Place, Place, Place]  # of a parallelogram: the first pixel, across the bars, along them

BARS = [
    BarcodeFormat.PDF417,
    BarcodeFormat.Code128,
    BarcodeFormat.Code39,
    BarcodeFormat.EANUPC,
    BarcodeFormat.ITF,
    BarcodeFormat.Codabar,
]
LEVELS = 3
"""The smallest ones: a code of which these show nothing has modules under a pixel."""
LONGEST = 1600.0
"""Pixels of a side that are enough to read bars: more are halved."""
LEAST_EDGES = 36
"""Along a row of bars: a health card in PDF417 has over 60, the shortest codes 40; a page of text has two a line."""


def upright_bars(pipeline: FramePipeline, level: Level, smallest: int) -> Iterator[View]:
    """Where bars stand in a frame, on its smallest level first; what a larger one shows again, once."""
    tried: list[Corners] = []
    for times in range(smallest, max(smallest - LEVELS, -1), -1):
        for found in bars(level(times)):
            a, b, c = (_halved(point, -times) for point in found)
            if any(_alike((a, b, c), other) for other in tried):
                continue
            tried.append((a, b, c))
            if max(_edges(level, smallest, (a, b, c), part) for part in (0.3, 0.5, 0.7)) >= LEAST_EDGES:
                yield _upright(pipeline, level, smallest, (a, b, c))


def _upright(pipeline: FramePipeline, level: Level, smallest: int, where: Corners) -> View:
    a, b, c = where
    fine = _fine(smallest, max(math.dist(a, b), math.dist(a, c)))
    pixels = pipeline.upright(level(fine), [_halved(point, fine) for point in where])
    height, width = pixels.shape
    across, down = _part(a, b, width - 1), _part(a, c, height - 1)
    return View("bars, upright", pixels, 1.0, *a, across=across, down=down)


def _edges(level: Level, smallest: int, where: Corners, part: float) -> int:
    """How often dark and light change along the row that lies as a part of the way down a parallelogram."""
    a, b, c = where
    x, y = part * (c[0] - a[0]), part * (c[1] - a[1])
    fine = _fine(smallest, math.dist(a, b))
    return edges(level(fine), _halved((a[0] + x, a[1] + y), fine), _halved((b[0] + x, b[1] + y), fine))


def _fine(smallest: int, longest: float) -> int:
    """How often the frame is halved to show bars that are so long."""
    return min(smallest, max(0, math.ceil(math.log2(max(longest, 1.0) / LONGEST))))


def _halved(point: Sequence[float], times: int) -> Place:
    """A place in a level that is halved so many times more; pixels, whose middles count."""
    return (point[0] + 0.5) / 2.0**times - 0.5, (point[1] + 0.5) / 2.0**times - 0.5


def _part(one: Place, other: Place, count: int) -> Place:
    """Of the way from one place to another, in so many steps."""
    return (other[0] - one[0]) / max(count, 1), (other[1] - one[1]) / max(count, 1)


def _alike(one: Corners, other: Corners) -> bool:
    """Whether two parallelograms are nearly one: no corner is further off than a tenth of the longer side."""
    a, b, c = one
    most = max(math.dist(a, b), math.dist(a, c)) / 10
    return all(math.dist(p, q) < most for p, q in zip(one, other, strict=True))
