"""What several systems' answers share."""

from __future__ import annotations

from datetime import datetime

from ehc.model import CST


def time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, CST)


def time_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else time(seconds)
