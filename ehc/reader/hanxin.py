"""Han Xin code 汉信码 (GB/T 21049, ISO/IEC 20830): what the codewords of a symbol say, as text.

The symbol gives bytes (native/grey/hanxin_content.cpp): GB 18030, unless it designates another character set.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

from ehc._grey import hanxin_message

FORMAT = "Han Xin Code"

CHARSETS = {
    **{designator: f"iso8859-{designator - 2}" for designator in (*range(3, 14), *range(15, 19))},
    **{0: "cp437", 1: "latin-1", 2: "cp437", 20: "shift_jis", 21: "cp1250", 22: "cp1251", 23: "cp1252", 24: "cp1256"},
    **{25: "utf-16-be", 26: "utf-8", 27: "ascii", 28: "big5", 29: "gb2312", 30: "euc_kr", 31: "gbk", 32: "gb18030"},
    **{33: "utf-16-le", 34: "utf-32-be", 35: "utf-32-le", 170: "ascii"},
}
"""Extended channel interpretations (AIM ITS/04-023) that are character sets."""


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
