"""When, by whom and why something is changed: what an event says of it."""

from __future__ import annotations

from typing import NamedTuple


class Act(NamedTuple):
    now: int  # seconds since 1970
    by: str  # caller, or operator
    why: str = ""
