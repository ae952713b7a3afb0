"""One row of the table of endpoints, and what a handler is called with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from ehc.access.caller import ANYBODY, Caller, Scope
from ehc.web.reply import Reply, Streamed
from ehc.web.wire.base import Body
from ehc.wiring import Services

BODY_LIMIT = 64 * 1024
BODY = (400, 408, 413, 415, 422, 500, 503)
"""Problems of every endpoint that takes a body and asks a system."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be served: who asks, and the systems that answer."""

    services: Services
    caller: Caller = ANYBODY
    purpose: str = ""  # X-Purpose: why plain data is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """handler(call, **parameters of the path, query=…, body=…) -> Reply; its name is the operation's id."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Reply | Streamed]]
    scope: Scope | None  # None: for everybody
    summary: str
    answers: dict[int, type[msgspec.Struct] | str]  # status -> wire type, or media type of what is not JSON
    query: type[Body] | None = None  # parameters after the question mark
    body: type[Body] | None = None
    stream: tuple[str, ...] = ()  # media types of a body that the handler reads in pieces, as AsyncIterator[bytes]
    body_limit: int = BODY_LIMIT
    problems: tuple[int, ...] = field(default=(500,))  # beside those of the scope: 401, 403, 429


Chunks = AsyncIterator[bytes]
"""The body of an endpoint with `stream`; reading it raises what a body that is too large or ends early is."""
