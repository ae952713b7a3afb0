"""How late a use may be reported."""

from __future__ import annotations

from dataclasses import dataclass

from ehc.config import Settings
from ehc.model import CST

DAY = 86_400
_OFFSET = int(CST.utcoffset(None).total_seconds())


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """days: so old may a use be. same_day: only of the running day (family B), whatever days says. tolerance: seconds
    that two clocks may differ."""

    days: int = 7
    same_day: bool = False
    tolerance: int = 60

    def earliest(self, now: int) -> int:
        """The first second whose uses are still taken. A day is China's, and lasts tolerance seconds longer: what was
        used just before midnight is still on its way."""
        if self.same_day:
            return day_of(now - self.tolerance)
        return now - self.days * DAY

    def latest(self, now: int) -> int:
        return now + self.tolerance


def day_of(at: int) -> int:
    """The first second of its day in China."""
    return at - (at + _OFFSET) % DAY


def late_policy(settings: Settings) -> LatePolicy:
    return LatePolicy(settings.record_days, settings.record_same_day, settings.tolerance_seconds)
