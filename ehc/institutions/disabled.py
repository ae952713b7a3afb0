"""Places that are disabled now: asked at every verification, so kept in memory and never more than a second old."""

from __future__ import annotations

from collections.abc import Callable, Iterable

PlaceCode = tuple[str, str]
"""An institution's code, and its terminal's, or "" for the institution as a whole."""


class DisabledPlaces:
    """Of one process; whoever lets requests in renews it (web/gate.py)."""

    def __init__(self) -> None:
        self.places: frozenset[PlaceCode] = frozenset()
        self.on_change: list[Callable[[], None]] = []  # called where others are disabled than before

    def renew(self, places: Iterable[PlaceCode]) -> None:
        self.places = frozenset(places)
        for told in self.on_change:
            told()

    def has(self, institution: str | None, terminal: str | None) -> bool:
        """Whether codes shown there may not be taken. A place that is not registered is not disabled."""
        places = self.places
        if not places or institution is None:
            return False
        return (institution, "") in places or (institution, terminal or "") in places
