"""One connection to a Redis server, for many requests at once: what is sent in one turn of the event loop leaves in
one write, answers come back in order. A call through redis-py costs many times as much; what is not on the path of
a verification is left to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis

from ehc.crypto.shortcut import Asked
from ehc.errors import Unavailable

ANSWER_SECONDS = 2.0
"""A server that owes an answer for so long is gone, at the next look."""
LOOKS = 2
"""So many in that time."""


class RedisLine(asyncio.Protocol):
    """Every command gives a future; when the line breaks, all that are open raise Unavailable.

    forget(keys): these changed, of those that this line watches (CLIENT TRACKING); None: any may have.
    """

    def __init__(self, name: str, forget: Callable[[list[bytes] | None], None]) -> None:
        self.name, self._forget = name, forget
        self.open = False
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._waiting: deque[asyncio.Future[Any] | Asked | None] = deque()  # None: nobody
        self._outgoing: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def send(self, command: bytes) -> asyncio.Future[Any]:
        """command: in the protocol's own form (`packed`). An error that Redis answers is the result, not raised."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.open:
            self._post(command)
            self._waiting.append(future)
        else:
            future.set_exception(Unavailable(f"the connection to Redis at {self.name} is closed"))
        return future

    def ask(self, one: Asked) -> asyncio.Future[bytes | None]:
        """Of an open line. What is told is concluded from in the order in which it comes."""
        one.future = self._loop.create_future()
        self._post(one.command)
        if one.ignored:
            self._waiting.extend([None] * one.ignored)
        self._waiting.append(one)
        return one.future

    def close(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.close()

    # the protocol's side

    _transport: asyncio.Transport | None = None
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.open = cast(asyncio.Transport, transport), True  # uvloop's is one, and no subclass
        self._look_later(None, 0)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        waiting, gets = self._waiting, self._reader.gets
        while (answer := gets()) is not _NOTHING:
            if type(answer) is _Push:
                if answer[0] == b"invalidate":
                    self._forget(answer[1])
                continue
            one = waiting.popleft()
            if type(one) is Asked:
                one.conclude(answer)
            elif one is not None and not one.done():
                one.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._forget(None)
        if self._look is not None:
            self._look.cancel()
        why = f"Redis at {self.name} has gone: {exc or 'it closed the connection'}"
        while self._waiting:
            one = self._waiting.popleft()
            if isinstance(one, Asked):
                one.fail(Unavailable(why))
            elif one is not None and not one.done():
                one.set_exception(Unavailable(why))

    def _post(self, command: bytes) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._write)
        self._outgoing.append(command)

    def _write(self) -> None:
        if self._transport is not None and self.open:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _look_again(self, oldest: object, looks: int) -> None:
        """Breaks the line when the oldest request has waited too long: half-open connections are found so."""
        if not self._waiting or self._waiting[0] is not oldest:
            self._look_later(self._waiting[0] if self._waiting else None, 0)
        elif looks < LOOKS:
            self._look_later(oldest, looks + 1)
        elif self._transport is not None:
            self._transport.abort()

    def _look_later(self, oldest: object, looks: int) -> None:
        self._look = self._loop.call_later(ANSWER_SECONDS / LOOKS, self._look_again, oldest, looks)


_Push = hiredis.PushNotification
_NOTHING = object()


def packed(*words: bytes | str | int) -> bytes:
    """A command in the protocol's form."""
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows one word only
    return command
