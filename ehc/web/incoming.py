"""Bodies as they come in over Granian's interface: bounded in size before they are read, and in time while they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
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
        self._waiting: dict[asyncio.Task[Any], int] = {}  # since which sweep
        self._late: set[asyncio.Task[Any]] = set()

    async def whole(self, header: Any, proto: Any, limit: int) -> bytes:
        """Raises HTTPException 400, 408 and 413, ConnectionGone."""
        length = header("content-length")
        if length is None:
            return b"".join([piece async for piece in self.pieces(header, proto, limit)])
        if int(length) > limit:  # the server let digits through and nothing else
            raise HTTPException(413, f"a body has at most {limit} bytes")
        task: Any = asyncio.current_task()
        self._waiting[task] = self._sweeps
        try:
            body: bytes = await proto()
            return body
        except (RSGIProtocolClosed, asyncio.CancelledError) as error:
            raise self._ended(task, error) from None
        finally:
            del self._waiting[task]

    async def pieces(self, header: Any, proto: Any, limit: int) -> AsyncIterator[bytes]:
        """Raises HTTPException 400, 408 and 413."""
        if int(header("content-length", "0")) > limit:
            raise HTTPException(413, f"a body has at most {limit} bytes")
        size, empty, pieces = 0, 0, aiter(proto)
        while (piece := await self._next(pieces)) is not None:
            size += len(piece)
            if size > limit:
                raise HTTPException(413, f"a body has at most {limit} bytes")
            if piece:
                yield bytes(piece)
            empty += not piece
        if (
            empty > 1
        ):  # Granian ends a body with one empty piece, one that broke off with another (tests/web/test_wire.py)
            raise HTTPException(400, "the body ended early")

    async def _next(self, pieces: Any) -> Any:
        """None at the end."""
        task: Any = asyncio.current_task()
        self._waiting[task] = self._sweeps
        try:
            return await anext(pieces)
        except StopAsyncIteration:
            return None
        except (RSGIProtocolClosed, asyncio.CancelledError) as error:
            raise self._ended(task, error) from None
        finally:
            del self._waiting[task]

    def _ended(self, task: asyncio.Task[Any], error: BaseException) -> BaseException:
        """What a wait that was ended is: cancelled by the sweep, or by somebody else, or the one who asked is gone."""
        if isinstance(error, RSGIProtocolClosed):
            return ConnectionGone()
        if task not in self._late:
            return error
        self._late.discard(task)
        task.uncancel()
        return HTTPException(408, f"a body has {self._seconds:g} s to come", {"Connection": "close"})

    async def sweep(self) -> None:
        """Ends the waits that are too long. Runs until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._sweeps += 1
            oldest = self._sweeps - self._seconds / SWEEP_SECONDS
            for task in [task for task, since in self._waiting.items() if since < oldest and task not in self._late]:
                self._late.add(task)
                task.cancel()
