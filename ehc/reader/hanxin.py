"""Han Xin code 汉信码 (GB/T 21049, ISO/IEC 20830): where it is looked for, and what the codewords of a symbol say.

The symbol gives bytes (native/grey/hanxin_content.cpp): GB 18030, unless it designates another character set.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ehc._frame import FramePipeline
from ehc._grey import hanxin_message, hanxin_outlines, locate_hanxin

FORMAT = "Han Xin Code"

CHARSETS = {
    **{designator: f"iso8859-{designator - 2}" for designator in (*range(3, 14), *range(15, 19))},
    **{0: "cp437", 1: "latin-1", 2: "cp437", 20: "shift_jis", 21: "cp1250", 22: "cp1251", 23: "cp1252", 24: "cp1256"},
    **{25: "utf-16-be", 26: "utf-8", 27: "ascii", 28: "big5", 29: "gb2312", 30: "euc_kr", 31: "gbk", 32: "gb18030"},
    **{33: "utf-16-le", 34: "utf-32-be", 35: "utf-32-le", 170: "ascii"},
}
"""Extended channel interpretations (AIM ITS/04-023) that are character sets."""

Grey = NDArray[np.uint8]


def _as_it_is(_: FramePipeline, grey: Grey) -> Grey:
    return grey


def _smooth(pipeline: FramePipeline, grey: Grey) -> Grey:
    return pipeline.smooth(grey)


def _doubled(pipeline: FramePipeline, grey: Grey) -> Grey:
    return pipeline.smooth(pipeline.twice(grey))


def _levelled(pipeline: FramePipeline, grey: Grey) -> Grey:
    return pipeline.smooth(pipeline.binarise(pipeline.smooth(grey), 15, 5))


Search = Callable[[Grey], list[tuple[list[list[float]], int]]]
FINDINGS: tuple[tuple[str, Search, int, Callable[[FramePipeline, Grey], Grey], bool, bool], ...] = (
    ("Han Xin, outline, half", hanxin_outlines, 1, _as_it_is, False, True),
    ("Han Xin, squares, half, smooth", locate_hanxin, 1, _smooth, False, False),
    ("Han Xin, squares, half", locate_hanxin, 1, _as_it_is, False, False),
    ("Han Xin, squares, smooth", locate_hanxin, 0, _smooth, False, False),
    ("Han Xin, outline, full", hanxin_outlines, 0, _as_it_is, False, True),
    ("Han Xin, outline, what is dense", hanxin_outlines, 0, _as_it_is, False, False),
    ("Han Xin, outline, threshold of 15", hanxin_outlines, 1, _levelled, False, True),
    ("Han Xin, squares, doubled, smooth", locate_hanxin, 0, _doubled, True, False),
)
"""Fields of pipeline.Finding, by what reads most. 80 ms for all of it."""


def text_of(codewords: bytes) -> str | None:
    """The text of a symbol's data codewords; None where something in it is not understood (a mode, a character set) or
    is no text in the character set that it says."""
    try:
        found, designators, chinese = hanxin_message(codewords)
        marks: list[tuple[int, int | None]] = [(0, None), *designators, (len(found), None)]
        return "".join(_decoded(found[start:end], set_, chinese) for (start, set_), (end, _) in pairwise(marks))
    except (ValueError, LookupError):
        return None


def _decoded(found: bytes, designator: int | None, chinese: bool) -> str:
    """Without a designator GB 18030 is meant; where no character was written as Chinese, bytes that are UTF-8 are taken
    as that, and bytes that are neither as Latin-1, as zxing-cpp does for QR."""
    if designator is not None:
        return found.decode(CHARSETS[designator])
    if chinese:
        return found.decode("gb18030")
    for charset in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return found.decode(charset)
    return found.decode("latin-1")
