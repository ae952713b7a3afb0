"""Terminals that were seen since the store was last told: one entry each, whatever they do."""

from __future__ import annotations

from collections.abc import Sequence

from ehc.institutions.place import Sighting

MOST = 65_536
"""So many are remembered; over it, no new ones until the store was told. Invented names fill no memory."""

FURTHEST = 2**40
"""Seconds of drift beyond which the number says nothing."""


class Sightings:
    """Of one process."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Sighting] = {}

    def see(self, institution: str, terminal: str, at: int, clock_drift: int | None) -> None:
        key = (institution, terminal)
        before = self._seen.get(key)
        if before is not None and before.at == at and clock_drift is None:
            return
        if before is None and len(self._seen) >= MOST:
            return
        if clock_drift is None and before is not None:
            clock_drift = before.clock_drift
        elif clock_drift is not None:
            clock_drift = max(-FURTHEST, min(FURTHEST, clock_drift))
        self._seen[key] = Sighting(institution, terminal, at, clock_drift)

    def take(self) -> Sequence[Sighting]:
        """All, by terminal: workers that tell the store at once then wait for each other in one order."""
        seen, self._seen = self._seen, {}
        return sorted(seen.values(), key=lambda one: one[:2])
