from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Quad = Sequence[Sequence[float]]

class GreySymbol:
    """A QR or Han Xin symbol that was read: every block a codeword with parity to spare, a whole message in them."""

    @property
    def version(self) -> int:
        """1 to 40, of Han Xin code to 84"""

    @property
    def level(self) -> str:
        """L, M, Q or H; of Han Xin code 1 to 4"""

    @property
    def mask(self) -> int:
        """0 to 7, of Han Xin code to 3"""

    @property
    def unused(self) -> int:
        """Parity codewords unused in the block that needed most; 2 or more."""

    @property
    def parity(self) -> int:
        """Parity codewords of that block."""

    @property
    def evidence(self) -> float:
        """Bits: a random symbol is accepted in this way once in 2^evidence."""

    @property
    def passes(self) -> int:
        """Looks at the image it took; 0 after fusion."""

    @property
    def frames(self) -> int:
        """Frames that were read together."""

    @property
    def score(self) -> float:
        """0 to 1: how well the known modules were met."""

    @property
    def modules(self) -> Grey:
        """uint8[size, size], 1 dark: the symbol as it was meant."""

    @property
    def data(self) -> bytes:
        """Data codewords, corrected."""

    @property
    def corners(self) -> list[list[float]]:
        """Refined; clockwise from the symbol's own top left."""

class GreyCore:
    """Reads symbols that were located and could not be decoded. One a source of frames; calls are one at a time.

    Arrays are looked at as they are (uint8[height, width], the pixels of a row side by side); the GIL is released.
    ValueError, with the numbers, for what does not fit.
    """

    def __init__(self, symbology: str = "QR Code", /) -> None:
        """symbology: QR Code or Han Xin Code."""

    def begin(self) -> None:
        """A new frame: in the one before, a place is looked at once, however often it is named."""

    def read(self, grey: Grey, corners: Quad, version: int, budget_ms: float = 1e9, /) -> GreySymbol | None:
        """None where nothing can be read. corners: of the symbol without its quiet zone, clockwise from its own top
        left, to about two modules; version: to about one, 0 for unknown (QR only). No further look starts after
        budget_ms."""

    @property
    def waiting(self) -> bool:
        """Whether something was seen since the last `fuse` that most likely is a symbol, and could not be read."""

    @property
    def expected(self) -> tuple[list[list[float]], int] | None:
        """Of the symbol that earlier frames showed and that could not be read: its last corners, its version."""

    def fuse(self) -> GreySymbol | None:
        """Adds the best look since the last call to those of earlier frames, if they show the same symbol, and reads
        all of them together."""

    def forget(self) -> None:
        """Earlier frames."""

def locate(grey: Grey, most: int = 6, /) -> list[tuple[list[list[float]], int]]:
    """Corners and version of what may be QR symbols, the likeliest first: for images in which no decoder finds them."""

def outlines(grey: Grey, most: int = 4, /) -> list[tuple[list[list[float]], int]]:
    """The same by the outline of the whole symbol, when nothing in it can be told apart any more."""

def locate_hanxin(grey: Grey, most: int = 2, /) -> list[tuple[list[list[float]], int]]:
    """Corners and version of what may be Han Xin symbols, the likeliest first: by the squares in their corners."""

def hanxin_outlines(grey: Grey, most: int = 2, /) -> list[tuple[list[list[float]], int]]:
    """The same by the outline of the whole symbol."""

def correct_block(word: bytes, parity: int, erased: Sequence[int], spare: int = 2, /) -> tuple[bytes, int, int] | None:
    """A Reed-Solomon block over GF(256) corrected, the errors outside the erased positions, and the parity codewords
    left unused; None unless at least `spare` are. The last `parity` codewords are parity, roots 2^0 and so on."""

def hanxin_message(data: bytes, /) -> tuple[bytes, list[tuple[int, int]], bool]:
    """Of the data codewords of a Han Xin symbol: the bytes written into it, from which of them on which extended
    channel interpretation counts, and whether some are in a mode for Chinese characters. ValueError where they are no
    message, and where one of its modes is not understood (Unicode, GS1, URI)."""
