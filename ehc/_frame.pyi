from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

PixelFormat = Literal["GREY", "NV12", "YUYV", "RGB", "BGR", "RGBA"]
Grey = NDArray[np.uint8]
Buffer = NDArray[np.uint8] | bytes | bytearray | memoryview

def halvings(width: int, height: int, /) -> int:
    """How often a frame of this size is halved to its smallest level, 0 to 4: on less, modules are under a pixel."""

def glanced_by(width: int, height: int, /) -> int:
    """By how much a frame is divided for a glance: two thirds of its smallest level, where these have 300 pixels."""

def active(grey: Buffer, /) -> tuple[int, int, int, int] | None:
    """x, y, width, height around all that is more than noise, and may be a code; None where there is nothing."""

def bars(grey: Buffer, most: int = 4, /) -> list[list[list[float]]]:
    """Where bars stand side by side at any turn, those with the most in them first: three corners of a parallelogram
    each, (x, y) in pixels, first the one at the top left, then that across the bars from it, then that along them."""

def edges(grey: Buffer, first: Sequence[float], last: Sequence[float], /) -> int:
    """How often the pixels from one (x, y) to another go from below their mean to above it, or back."""

class FramePipeline:
    """Pixels of one source of frames, prepared for a decoder.

    Arrays go in as they are (any strides, no copy) and come out read-only; the GIL is released in between. An array
    that came out stays valid and unchanged; once it is gone, its memory serves a later frame. Every method raises
    ValueError, with the numbers, for what does not fit. May be shared between threads.
    """

    def __init__(self, margin: float = 0.5, patience: int = 5, /) -> None:
        """margin: border of the region around the last hit, in lengths of its longer side, 0 to 16. patience: misses
        in a row after which the region is lost."""

    def luma(
        self,
        frame: Buffer,
        format: PixelFormat,
        times: int = 0,
        box: tuple[int, int, int, int] | None = None,
        width: int = 0,
        height: int = 0,
        stride: int = 0,
        /,
    ) -> Grey:
        """Grey uint8[height, width] of a frame, or of a box (x, y, width, height) in it, halved `times` times, 0 to 4.

        frame: uint8[height, width] (GREY, NV12's luma plane), uint8[height, width, bytes of a pixel] (YUYV 2, RGB and
        BGR 3, RGBA 4), or flat bytes with width, height and stride (bytes from row to row; 0: no gap). GREY and NV12
        are not copied: the result looks at the caller's bytes, unless it is halved; one pixel is the rounded mean of
        a square (beyond 2 x 2 of the middle half of its rows). RGB to grey is BT.601; RGBA lies on white.
        """

    def glance(
        self, frame: Buffer, format: PixelFormat, width: int = 0, height: int = 0, stride: int = 0, /
    ) -> Grey | None:
        """A frame divided by `glanced_by`, as `luma` halves it (of 6 rows the middle two count); a copy. None where it
        is like the last that held nothing: no mean of 8 x 4 pixels of every other row differs by 2 levels."""

    def held_nothing(self) -> None:
        """What became of the frame last glanced at."""

    def held_something(self) -> None:
        """The same."""

    def half(self, grey: Buffer, /) -> Grey:
        """uint8[height // 2, width // 2], each the rounded mean of 2x2."""

    def twice(self, grey: Buffer, /) -> Grey:
        """uint8[2 * height, 2 * width], linear between the pixels' middles."""

    def dilate(self, grey: Buffer, /) -> Grey:
        """Largest of 3x3: light grows by one pixel."""

    def smooth(self, grey: Buffer, /) -> Grey:
        """Mean of 3x3, rounded."""

    def sharpen(self, grey: Buffer, amount: int = 2, /) -> Grey:
        """v + amount * (v - mean of 3x3), clamped; amount 1 to 8."""

    def binarise(self, grey: Buffer, window: int = 15, offset: int = 5, /) -> Grey:
        """255 where v + offset is over the mean of window x window pixels around it, else 0. window: odd, 3 to 255."""

    def threshold(self, grey: Buffer, /) -> Grey | None:
        """255 where a pixel is light, 0 where it is dark, as zxing-cpp's LocalAverage takes them: over the middle of
        its 8 x 8 pixels, averaged over 5 x 5 of these. None where no 8 x 8 pixels have over 24 levels. A side has 40
        pixels or more."""

    def upright(self, grey: Buffer, where: Sequence[Sequence[float]], /) -> Grey:
        """The pixels of a parallelogram as `bars` gives it, as if it stood upright; beyond the border its pixels."""

    def hit(self, corners: Sequence[Sequence[float]], /) -> None:
        """A code was read at these four (x, y), in pixels of the whole frame."""

    def miss(self) -> None:
        """No code was where one was expected."""

    def region(self, width: int, height: int, /) -> tuple[int, int, int, int] | None:
        """x, y, width, height of where to look first in a frame of this size; None when the last hit is lost."""
