"""Scanners that type: keystrokes of a keyboard wedge, or bytes of a serial line, with their times in; codes out.

A code ends with the scanner's suffix (CR, LF, Tab), or when nothing more comes. A pause ends no code by itself: pieces
that come within `join` seconds are tried as one, so a scanner that stutters, a slow computer or a cut-off in between
does no harm. Who sends no suffix waits that long: the test page says so.

    >>> wedge = Assembler()
    >>> wedge.feed("98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928：1\\r", at=0.0)[0].repairs
    (<Repair.WIDTH: 'width'>,)
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

from ehc.reader.payloads import Found, What, read_payload
from ehc.reader.repairs import Repair, Repaired, cleaned_of, repair

JOIN = 0.8
"""Seconds within which pieces belong together; two people need longer."""
PAUSE = 0.12
"""Seconds from key to key that begin another piece: slow scanners leave 60 ms."""
MOST = 4096
"""Characters that are kept of what is no code: somebody leaning on a keyboard."""
MOST_PIECES = 16
SUFFIXES = {"\r": "CR", "\n": "LF", "\t": "Tab"}
_END_KEYS = {"Enter": "CR", "NumpadEnter": "CR", "Tab": "Tab"}


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key. text: what it gave, "" where an input method kept it; code: KeyboardEvent.code, where that is known."""

    text: str = field(repr=False)
    at: float  # seconds, of a clock that does not step
    code: str = field(default="", repr=False)
    shift: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """What was scanned. payload: "" unless it is a health card; found: what it is instead."""

    payload: str = field(repr=False)
    raw: str = field(repr=False)  # as it came
    repairs: tuple[Repair, ...]
    found: Found = field(repr=False)
    suffix: str  # SUFFIXES, "" without
    started: float
    ended: float


class Assembler:
    """One a scanner. Feed it what comes; ask `poll` between: what has no suffix is ready when nothing more came."""

    def __init__(self, *, join: float = JOIN, pause: float = PAUSE) -> None:
        self._join, self._pause = join, pause
        self._pieces: list[list[Stroke]] = []  # what came since the last end, apart where there was a pause
        self._serial = False  # characters are bytes

    def feed(self, given: str | bytes, at: float) -> list[Typed]:
        """Characters of a keyboard, or bytes of a serial line, that came together. Raises nothing."""
        self._serial = isinstance(given, bytes)
        text = given.decode("latin-1") if isinstance(given, bytes) else given
        return self.strokes([Stroke(c, at) for c in text])

    def strokes(self, strokes: list[Stroke]) -> list[Typed]:
        found: list[Typed] = []
        for stroke in strokes:
            found += self.poll(stroke.at)
            suffix = self._suffix(stroke)
            if suffix:
                found += self._end(suffix, stroke.at)
            else:
                self._take(stroke)
        return found

    def poll(self, now: float) -> list[Typed]:
        """What is complete because nothing came after it for `join` seconds."""
        if not self._pieces or now - self._pieces[-1][-1].at <= self._join:
            return []
        return self._end("", self._pieces[-1][-1].at)

    @property
    def waiting(self) -> bool:
        """Whether something came that is no code yet."""
        return bool(self._pieces)

    def _take(self, stroke: Stroke) -> None:
        if not self._pieces or stroke.at - self._pieces[-1][-1].at > self._pause:
            self._pieces.append([])
        self._pieces[-1].append(stroke)
        if len(self._pieces) > MOST_PIECES:
            self._pieces[:2] = [_all(self._pieces[:2])]
        if sum(map(len, self._pieces)) > MOST:
            self._pieces = [_all(self._pieces)[-MOST // 2 :]]

    def _suffix(self, stroke: Stroke) -> str:
        """SUFFIXES, with or without a parity bit on a serial line; "" when the stroke is none."""
        if stroke.code in _END_KEYS:
            return _END_KEYS[stroke.code]
        if self._serial and stroke.text > "\x7f" and not _is_utf8(_text(_all(self._pieces)) + stroke.text, whole=False):
            return SUFFIXES.get(chr(ord(stroke.text) & 0x7F), "")
        return SUFFIXES.get(stroke.text, "")

    def _end(self, suffix: str, at: float) -> list[Typed]:
        """The longest row of pieces at the end that is a code, and what was before it; LF behind CR ends nothing."""
        pieces, self._pieces = self._pieces, []
        found: list[Typed] = []
        rest = len(pieces)
        while rest:
            first, code = self._last(pieces[:rest], suffix, at)
            if code is None:
                break
            if not (found and found[0].payload.upper().startswith(code.payload.upper())):  # else the same, begun
                found.insert(0, code)
            rest, suffix = first, ""
        return found or ([self._foreign(_all(pieces), suffix, at)] if pieces else [])

    def _last(self, pieces: list[list[Stroke]], suffix: str, at: float) -> tuple[int, Typed | None]:
        for first in range(len(pieces)):
            strokes = _all(pieces[first:])
            repaired = self._repaired(strokes)
            if repaired and _whole(repaired, suffix):
                joined = (Repair.JOINED,) if first < len(pieces) - 1 and Repair.TWICE not in repaired.repairs else ()
                found, repairs = read_payload(repaired.payload), (*repaired.repairs, *joined)
                return first, Typed(repaired.payload, _text(strokes), repairs, found, suffix, strokes[0].at, at)
        return 0, None

    def _repaired(self, strokes: list[Stroke]) -> Repaired | None:
        keys = [(one.code, one.shift) for one in strokes] if all(one.code for one in strokes) else None
        text, parity = self._read(_text(strokes))
        found = repair(text, keys)
        return Repaired(found.payload, (Repair.PARITY, *found.repairs)) if found and parity else found

    def _read(self, text: str) -> tuple[str, bool]:
        """Bytes are ASCII, whose eighth bit is a parity where the line is set to seven, or UTF-8 of somebody else."""
        if not self._serial or text.isascii():
            return text, False
        if _is_utf8(text, whole=True):
            return text.encode("latin-1").decode(), False
        return "".join(chr(ord(c) & 0x7F) for c in text), True

    def _foreign(self, strokes: list[Stroke], suffix: str, at: float) -> Typed:
        raw = _text(strokes)
        found = read_payload(cleaned_of(self._read(raw)[0])[0])
        damaged = Found(What.DAMAGED) if found.what is What.HEALTH_CARD else found
        return Typed("", raw, (), damaged, suffix, strokes[0].at, at)


def _all(pieces: list[list[Stroke]]) -> list[Stroke]:
    return [stroke for piece in pieces for stroke in piece]


def _text(strokes: list[Stroke]) -> str:
    return "".join(stroke.text for stroke in strokes)


def _is_utf8(text: str, *, whole: bool) -> bool:
    """Of bytes as latin-1; not whole: as far as it goes."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text.encode("latin-1"), final=whole)
    except UnicodeError:
        return False
    return True


def _whole(repaired: Repaired, suffix: str) -> bool:
    """Whether it is more than a piece of a code. A bare card id is as well the beginning of a longer code, and 32 hex
    digits the end of one: it has 64 of them and a suffix behind it. Colons are put back around 64 digits alone."""
    card = read_payload(repaired.payload).card
    if card is None:
        return True
    national = len(card.card_id) == 64
    if Repair.COLONS in repaired.repairs:
        return national and (bool(suffix) or card.organisation is None)
    return card.flag is not None or (bool(suffix) and national)
