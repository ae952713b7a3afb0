"""The geometry of charts; templates draw it as SVG. A chart has no style of its own: classes, and CSS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 1000.0, 200.0
"""Units of the drawing, which is stretched to its place."""

GAP = 0.28
"""Part of a column's place that stays empty."""


class Column(NamedTuple):
    label: str  # below it
    parts: tuple[int, ...]  # one above the other, from below
    title: str  # whole sentence: for who points at it, or does not see it


class Rectangle(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    part: int


class Columns(NamedTuple):
    rectangles: tuple[Rectangle, ...]
    lines: tuple[tuple[float, int], ...]  # y and the number there, from above
    columns: tuple[Column, ...]
    every: int  # so many columns have one label
    total: int


class Bar(NamedTuple):
    label: str
    value: int
    width: float  # per cent of the longest
    share: float  # per cent of all


def columns(of: Sequence[Column], labels: int = 8) -> Columns:
    """labels: at most so many below."""
    top = nice_top(max((sum(one.parts) for one in of), default=0))
    place = WIDTH / max(1, len(of))
    found = []
    for i, one in enumerate(of):
        below = 0
        for part, value in enumerate(one.parts):
            height = HEIGHT * value / top
            y = HEIGHT - HEIGHT * below / top - height
            x, width = place * (i + GAP / 2), place * (1 - GAP)
            if value:
                found.append(Rectangle(round(x, 2), round(y, 2), round(width, 2), round(height, 2), part))
            below += value
    lines = tuple((HEIGHT * step / 4, top * (4 - step) // 4) for step in range(5))
    every = -(-len(of) // labels) or 1
    return Columns(tuple(found), lines, tuple(of), every, sum(sum(one.parts) for one in of))


def nice_top(most: int) -> int:
    """The least of 4, 8, 20, 40, 80, 200 … that is not below: a quarter of it is a whole number."""
    step = 1
    while True:
        for first in (4, 8, 20):
            if first * step >= most:
                return first * step
        step *= 10


def bars(rows: Sequence[tuple[str, int]], most: int, others: str) -> tuple[Bar, ...]:
    """The longest first; what is over `most` stands together as `others`."""
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    shown, rest = ordered[:most], sum(value for _, value in ordered[most:])
    if rest:
        shown.append((others, rest))
    longest, total = max((value for _, value in shown), default=1), sum(value for _, value in shown) or 1
    return tuple(
        Bar(label, value, round(100 * value / longest, 2), round(100 * value / total, 1)) for label, value in shown
    )
