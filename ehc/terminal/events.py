"""What the terminal says: one JSON object each, to the page and to hospital software."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

import msgspec

MOST_WAITING = 256


class Seen(msgspec.Struct, frozen=True, tag="seen", tag_field="event"):
    """A code lies in the picture. corners: x, y of four, as fractions of width and height."""

    corners: list[tuple[float, float]]
    what: str


class Checking(msgspec.Struct, frozen=True, tag="checking", tag_field="event"):
    """A health card was read. Whatever was shown before is over."""

    number: int


class Said(msgspec.Struct, frozen=True, tag="verdict", tag_field="event"):
    """verdict: unanswered: nobody could check it, so it is not accepted; read: nobody was to check it. payload: of a
    health card alone. name: masked."""

    number: int
    verdict: Literal["accepted", "refused", "unanswered", "read", "foreign", "several"]
    by: str  # camera, scanner, software
    what: str  # payloads.What
    zh: str
    en: str
    reason: str = ""
    step: int | None = None
    name: str | None = None
    expires_at: datetime | None = None
    offline: bool = False
    payload: str | None = None
    repairs: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()  # what other codes were there


class Status(msgspec.Struct, frozen=True, tag="status", tag_field="event"):
    """clock: seconds that this machine's own clock is fast, where that is worth saying, else 0. list: the issuer's, for
    times without network; missing: none was had yet; over: nothing is accepted by it any more."""

    source: str
    state: Literal["none", "starting", "watching", "ended", "gone"]
    says: str
    service: Literal["none", "unknown", "there", "away"]
    clock: int
    waiting: int
    frames: int
    dropped: int
    scene: str
    list: Literal["none", "missing", "held", "over"] = "none"
    list_age: int | None = None  # seconds since the issuer signed it


class Typed(msgspec.Struct, frozen=True, tag="typed", tag_field="event"):
    """Of the scanner test page: what came, what it became, what to change."""

    raw: str
    payload: str | None
    what: str
    zh: str
    en: str
    suffix: str
    seconds: float
    repairs: tuple[str, ...]
    advice: tuple[tuple[str, str], ...]


Event = Seen | Checking | Said | Status | Typed
encode = msgspec.json.Encoder().encode


class Hub:
    """Hands events to whoever listens now; nobody is told what was before. Threads may call `tell`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues = set[asyncio.Queue[Event]]()

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def close(self) -> None:
        self._loop = None

    def tell(self, event: Event) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event) -> None:
        for queue in self._queues:
            if queue.full():  # somebody who does not read: the oldest goes
                queue.get_nowait()
            queue.put_nowait(event)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event]]:
        queue = asyncio.Queue[Event](MOST_WAITING)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)
