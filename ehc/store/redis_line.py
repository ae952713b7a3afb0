"""One connection to a Redis server, for many requests at once: what is sent in one turn of the event loop leaves in
one write, answers come back in order. A call through redis-py costs many times as much; what is not on the path of
a verification is left to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

import hiredis

from ehc.errors import Unavailable

ANSWER_SECONDS = 2.0
"""A server that owes an answer for so long is gone."""


class RedisLine(asyncio.Protocol):
    """Made by `connect`. Every command gives a future; when the line breaks, all that are open raise Unavailable."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open = False
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._outgoing: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def send(self, command: bytes) -> asyncio.Future[Any]:
        """command: in the protocol's own form (`packed`). An error that Redis answers is the result, not raised."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self.open:
            future.set_exception(Unavailable(f"the connection to Redis at {self.name} is closed"))
            return future
        if not self._outgoing:
            self._loop.call_soon(self._write)
        self._outgoing.append(command)
        self._waiting.append((self._loop.time(), future))
        return future

    def close(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.close()

    # the protocol's side

    _transport: asyncio.Transport | None = None
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.open = cast(asyncio.Transport, transport), True  # uvloop's is one, and no subclass
        self._watch = self._loop.call_later(ANSWER_SECONDS / 2, self._look)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not _NOTHING:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(Unavailable(f"Redis at {self.name} has gone: {exc or 'it closed the connection'}"))

    def _write(self) -> None:
        if self._transport is not None and self.open:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _look(self) -> None:
        """Breaks the line when the oldest request has waited too long: half-open connections are found so."""
        if self._waiting and self._loop.time() - self._waiting[0][0] > ANSWER_SECONDS and self._transport is not None:
            self._transport.abort()
            return
        self._watch = self._loop.call_later(ANSWER_SECONDS / 2, self._look)


_NOTHING = object()


def packed(*words: bytes | str | int) -> bytes:
    """A command in the protocol's form."""
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows one word only
    return command
