"""The alarm for a terminal whose clock is wrong: such a one shows and reads dynamic codes in vain."""

from __future__ import annotations

from ehc.ports import Clock

ALARM_SECONDS = 10


def drift(client_time: str | None, clock: Clock) -> str | None:
    """X-Client-Time (seconds since 1970) -> X-Clock-Drift, by how many seconds that clock is fast (+) or slow (-).

    None when it is right to ALARM_SECONDS, or was not said.
    """
    found = ahead(client_time, clock)
    return f"{found:+d}" if found is not None and abs(found) > ALARM_SECONDS else None


def ahead(client_time: str | None, clock: Clock) -> int | None:
    """By how many seconds that clock is fast, negative where it is slow; None when it was not said."""
    if client_time is None:
        return None
    try:
        return round(float(client_time)) - clock()
    except (ValueError, OverflowError):
        return None
