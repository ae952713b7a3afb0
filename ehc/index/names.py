"""Names as they are compared: 间隔号 of every kind, characters that an old system could not write, pinyin.

folded   upper case, no interpuncts, no spaces: 买买提·艾力 and 买买提艾力 are one. What stands for a character that
         a system did not have (?, *, ＊, □, a private-use one …) is one sign, MISSING
latin    toneless pinyin, character by character, Latin letters as they are: 張 and 张 both ZHANG
fits     equal but where one of the two has MISSING
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache

from ehc.cards.identity import INTERPUNCT, LOOK_ALIKES

MISSING = "□"
_DROPPED = dict.fromkeys(map(ord, INTERPUNCT + LOOK_ALIKES + ".。'’`-－—_ \u3000"))
_STANDS_FOR = dict.fromkeys(map(ord, "?？*＊■〓○●"), MISSING)
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")


@lru_cache(1 << 16)
def folded(name: str) -> str:
    if name.isalpha() and unicodedata.is_normalized("NFKC", name):  # most names: nothing is dropped or missing
        return name.upper()
    kept = unicodedata.normalize("NFKC", name).translate(_DROPPED).translate(_STANDS_FOR)
    return unicodedata.normalize("NFKC", _PRIVATE.sub(MISSING, kept).upper())


@lru_cache(1 << 16)
def latin(name: str) -> str:
    return folded(name).translate(_SYLLABLES)


class _Syllables(dict[int, str]):
    """Of code points, as str.translate asks for them."""

    def __missing__(self, code: int) -> str:
        found = self[code] = chr(code) if code < 128 else _syllable(chr(code))
        return found


_SYLLABLES = _Syllables()


def _syllable(character: str) -> str:
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # 45 MiB of phrases, which one character is none of
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  its dictionary takes a tenth of a second: once, when asked

    return "".join(lazy_pinyin(character, style=Style.NORMAL, errors="ignore")[:1]).upper()


def fits(one: str, other: str) -> bool:
    """Of folded names: one is the other with MISSING in some places, not in all."""
    if len(one) != len(other) or (MISSING not in one and MISSING not in other):
        return bool(one) and one == other
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if MISSING not in (a, b)]
    return bool(pairs) and all(a == b for a, b in pairs)
