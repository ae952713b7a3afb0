"""The lines of a CSV file, told apart before any of them is parsed: one bad line never touches another.

A row is one line: RFC 4180 with comma and double quotes, except that a line break inside quotes is refused, so that a
lost quote cannot swallow the rows after it. Commas, quotes and line feeds are found as bytes: in UTF-8, GBK and GB18030
none of the three is part of another character.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

LINE_BYTES = 1 << 16
"""Longest line; a longer one is refused and costs no memory."""

_LF, _CR, _QUOTE, _COMMA = b'\n\r",'
_FINE, _BLANK, _LONG, _RETURN, _OPEN, _COUNT = range(6)


class Refusal(NamedTuple):
    """What gets no card, for the rejects file; holds no personal data."""

    line: int  # from 1
    column: str  # its name in the file; "" for the line as a whole
    reason: str


class RawLines(NamedTuple):
    """Whole lines as they came. data is None for one line that is too long to be looked at."""

    data: bytes | None  # the last line ends with a line feed, also where the file has none
    first: int  # number of the first line
    following: int  # number of the line after the last
    end: int  # offset of that line in the file


class Lines(NamedTuple):
    """The lines that can be parsed, and the others."""

    data: bytes
    numbers: NDArray[np.int64]  # of the lines in data
    refused: list[Refusal]  # in order; blank lines are nowhere


def raw_lines(stream: BinaryIO, offset: int, line: int, size: int) -> Iterator[RawLines]:
    """All lines from `offset`, where `line` begins, about `size` bytes at a time; holds at most twice that."""
    tail = b""
    while True:
        data = stream.read(size)
        ends_here, data = not data, tail + data
        if ends_here and not data:
            return
        if ends_here and not data.endswith(b"\n"):
            data += b"\n"  # counts as a byte of the file; nothing comes after it
        cut = data.rfind(b"\n") + 1
        if cut:
            offset, following, whole = offset + cut, line + data.count(b"\n"), data[:cut]
            tail = data[cut:]
        elif len(data) > LINE_BYTES:
            length, tail = _skip_line(stream, size)
            offset, following, whole = offset + len(data) + length, line + 1, None
        else:
            tail = data
            continue
        yield RawLines(whole, line, following, offset)
        line = following


def _skip_line(stream: BinaryIO, size: int) -> tuple[int, bytes]:
    """(bytes up to and with the next line feed, what was read after it)."""
    skipped = 0
    while data := stream.read(size):
        cut = data.find(b"\n") + 1
        if cut:
            return skipped + cut, data[cut:]
        skipped += len(data)
    return skipped, b""


def plain(raw: RawLines) -> Lines | None:
    """All lines, if none is quoted, blank, long or has a carriage return: then only their fields are to be counted,
    which the parser does. Else None, and `split` tells them apart. It spares 100 ns a row."""
    data = raw.data
    if data is None or b'"' in data or b"\r" in data or b"\n\n" in data or data.startswith(b"\n"):
        return None
    half = LINE_BYTES // 2  # a longer line covers one of these from end to end
    if any(data.find(b"\n", at, at + half) < 0 for at in range(0, len(data), half)):
        return None
    return Lines(data, np.arange(raw.first, raw.following, dtype=np.int64), [])


def split(raw: RawLines, fields: int) -> Lines:
    """Keep the lines that have `fields` fields, balanced quotes and a bearable length."""
    if raw.data is None:
        return Lines(b"", np.empty(0, np.int64), [Refusal(raw.first, "", _TOO_LONG)])
    text = np.frombuffer(raw.data, np.uint8)
    ends = np.flatnonzero(text == _LF)
    starts = np.concatenate(([0], ends[:-1] + 1))
    states, counts = _states(raw.data, text, starts, ends, fields)
    numbers = np.arange(raw.first, raw.first + len(ends), dtype=np.int64)
    bad = np.flatnonzero(states > _BLANK)
    refused = [Refusal(int(numbers[i]), "", _reason(int(states[i]), int(counts[i]), fields)) for i in bad]
    fine = states == _FINE
    if fine.all():
        return Lines(raw.data, numbers, refused)
    return Lines(text[np.repeat(fine, ends - starts + 1)].tobytes(), numbers[fine], refused)


_TOO_LONG = f"over {LINE_BYTES:,} bytes long; a quote or a line end may be missing"


def _reason(state: int, fields: int, wanted: int) -> str:
    return {
        _LONG: _TOO_LONG,
        _RETURN: "a carriage return inside the line",
        _OPEN: 'quotes are not balanced: a field is quoted whole, with "" for a quote inside, and ends on its line',
        _COUNT: f"{fields} fields where the header has {wanted}",
    }[state]


Array = NDArray[np.intp]


def _states(
    data: bytes, text: NDArray[np.uint8], starts: Array, ends: Array, fields: int
) -> tuple[NDArray[np.uint8], Array]:
    """(what is the matter with each line, its number of fields)."""
    commas = np.flatnonzero(text == _COMMA)
    quoted = b'"' in data
    open_lines = np.empty(0, np.intp)
    if quoted:
        quotes = np.flatnonzero(text == _QUOTE)
        open_lines = _unbalanced(text, quotes, starts, ends)
        commas = _outside(commas, quotes, starts, ends)
    counts = np.diff(np.searchsorted(commas, ends), prepend=0) + 1
    states = np.where(counts == fields, _FINE, _COUNT).astype(np.uint8)
    states[open_lines] = _OPEN
    if b"\r" in data:
        returns = np.flatnonzero(text == _CR)
        lone = returns[text[returns + 1] != _LF]
        states[np.searchsorted(ends, lone)] = _RETURN
    states[ends - starts > LINE_BYTES] = _LONG
    lengths = ends - starts
    states[(lengths == 0) | ((lengths == 1) & (text[starts] == _CR))] = _BLANK
    return states, counts


def _ranks(places: Array, quotes: Array, starts: Array, ends: Array) -> Array:
    """For each place in the text, how many quotes stand before it on its line."""
    first = np.searchsorted(quotes, starts)
    return np.asarray(np.searchsorted(quotes, places) - first[np.searchsorted(ends, places)])


def _outside(commas: Array, quotes: Array, starts: Array, ends: Array) -> Array:
    outside: Array = commas[_ranks(commas, quotes, starts, ends) % 2 == 0]
    return outside


def _unbalanced(text: NDArray[np.uint8], quotes: Array, starts: Array, ends: Array) -> Array:
    """Lines with a quote out of place.

    Every second quote of a line closes: it stands before a comma, the line end or the next quote (which makes it an
    escaped one); the others open: after a comma, the line start or such a quote.
    """
    line = np.searchsorted(ends, quotes)
    closing = _ranks(quotes, quotes, starts, ends) % 2 == 1
    before, after = text[quotes - 1], text[quotes + 1]  # the first quote of all at 0 looks at the last line feed
    opens_well = (quotes == starts[line]) | (before == _COMMA) | (before == _QUOTE)
    closes_well = (after == _COMMA) | (after == _QUOTE) | (after == _LF) | (after == _CR)
    wrong = np.where(closing, ~closes_well, ~opens_well)
    odd = np.bincount(line, minlength=len(ends)) % 2 == 1
    return np.flatnonzero(odd | (np.bincount(line[wrong], minlength=len(ends)) > 0))
