"""What a look at a frame gives: readings, and why it ended."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from ehc.model import Payload
from ehc.reader.payloads import Found, What

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

Symbol = Callable[[], tuple[int | None, float | None]]
"""Tells a symbol's version and its unused error correction."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One code that was read. repr shows neither its text nor what it says: both may be a person's."""

    payload: str = field(repr=False)  # the text in the symbol
    format: str  # "QR Code", "EAN-13" …
    corners: Corners  # clockwise from the symbol's own top left; pixels of the frame
    stage: str  # the attempt that read it, README.md
    attempts: int  # how many it took, this one included
    milliseconds: float  # from the start of the frame to this reading
    meaning: Found = field(repr=False)  # whose code it is
    symbol: Symbol = field(repr=False, compare=False)
    """Asked only when somebody wants to know: zxing-cpp takes longer for it than all else of a reading does."""

    @property
    def version(self) -> int | None:
        """Of a QR symbol, 1 to 40; None: not known."""
        return self.symbol()[0]

    @property
    def unused(self) -> float | None:
        """Error correction that reading did not need, 0 to 1; None: not known."""
        return self.symbol()[1]

    @property
    def health_card(self) -> bool:
        """Whether it is an electronic health card (电子健康卡), of any profile."""
        return self.meaning.what is What.HEALTH_CARD

    @property
    def card(self) -> Payload | None:
        """Taken apart, as far as it can be without a key."""
        return self.meaning.card

    @property
    def found(self) -> str:
        """What it is: "an electronic health card (电子健康卡)", "an insurance code (医保电子凭证)" …"""
        return self.meaning.named


class Stopped(enum.StrEnum):
    """Why looking at a frame ended."""

    READ = "read"
    BUDGET = "budget"  # no time left for a further attempt
    NOTHING = "nothing"  # everything was tried
    UNCHANGED = "unchanged"  # the frame looks like one in which nothing was read and nothing even located
