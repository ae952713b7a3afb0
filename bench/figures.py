"""Numbers as the tables print them."""

from __future__ import annotations

from math import floor, log10


def significant(value: float, digits: int = 3) -> str:
    """1234567 -> 1,230,000; 4.5678 -> 4.57."""
    places = digits - 1 - floor(log10(abs(value)))
    return f"{round(value, places):,.{max(0, places)}f}"
