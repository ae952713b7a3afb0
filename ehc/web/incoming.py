"""Bodies as they come in over Granian's interface: bounded in size before they are read, and in time while they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from granian._granian import RSGIProtocolClosed
from starlette.exceptions import HTTPException

SWEEP_SECONDS = 0.5


class ConnectionGone(Exception):
    """The one who asked went away: there is nobody to answer."""


class Bodies:
    """The bodies that one process is reading. seconds: in which a whole one, or the next piece of a stream, must come.

    A timer a request would cost more than all checks of a code: one sweep looks at all that wait. Time is counted in
    sweeps: when this process was stopped for a while, bodies that came meanwhile are not late.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._sweeps = seconds, 0
        self._waiting: dict[Any, int] = {}  # what the server gave to wait for: since which sweep
        self._late: set[Any] = set()

    def whole(self, header: Any, proto: Any, limit: int) -> Awaitable[bytes]:
        """Raises HTTPException 413; to wait for it 400, 408 and 413 too, and ConnectionGone."""
        length = header("content-length")
        if length is None:
            return self._joined(header, proto, limit)
        if int(length) > limit:  # the server let digits through and nothing else
            raise _too_long(limit)
        return self.in_time(proto())

    async def pieces(self, header: Any, proto: Any, limit: int) -> AsyncIterator[bytes]:
        """Raises HTTPException 400, 408 and 413, ConnectionGone."""
        if int(header("content-length", "0")) > limit:
            raise _too_long(limit)
        size, empty, pieces = 0, 0, aiter(proto)
        while True:
            try:
                piece = await self.in_time(anext(pieces))
            except StopAsyncIteration:
                break
            size += len(piece)
            if size > limit:
                raise _too_long(limit)
            if piece:
                yield bytes(piece)
            empty += not piece
        # Granian ends a body with one empty piece, one that broke off with another (tests/web/test_wire.py)
        if empty > 1:
            raise HTTPException(400, "the body ended early")

    async def _joined(self, header: Any, proto: Any, limit: int) -> bytes:
        return b"".join([piece async for piece in self.pieces(header, proto, limit)])

    async def in_time(self, coming: Any) -> Any:
        """coming: what proto gives to wait for. Raises HTTPException 408, ConnectionGone."""
        self._waiting[coming] = self._sweeps
        try:
            return await coming
        except RSGIProtocolClosed:
            raise ConnectionGone from None
        except asyncio.CancelledError:
            if coming not in self._late:
                raise  # somebody else does not want it
            raise HTTPException(408, f"a body has {self._seconds:g} s to come", {"Connection": "close"}) from None
        finally:
            del self._waiting[coming]
            self._late.discard(coming)

    async def sweep(self) -> None:
        """Ends the waits that are too long. Runs until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._sweeps += 1
            oldest = self._sweeps - self._seconds / SWEEP_SECONDS
            for late in [one for one, since in self._waiting.items() if since < oldest and one not in self._late]:
                self._late.add(late)
                late.cancel()


def _too_long(limit: int) -> HTTPException:
    return HTTPException(413, f"a body has at most {limit} bytes")
