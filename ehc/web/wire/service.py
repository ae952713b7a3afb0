"""The service itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct


class Time(Struct, frozen=True):
    """The clock that codes are checked against."""

    now: datetime
    epoch: Annotated[int, Meta(description="seconds since 1970-01-01T00:00:00Z")]


class Status(Struct, frozen=True):
    status: Literal["ok", "ready", "degraded"]
