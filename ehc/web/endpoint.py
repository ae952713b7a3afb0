"""One row of the table of endpoints, and what a handler is called with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from starlette.concurrency import run_in_threadpool

from ehc.access.caller import ANYBODY, Caller, Scope
from ehc.access.looks import Look
from ehc.errors import Forbidden
from ehc.web import logs
from ehc.web.clocks import ahead
from ehc.web.decoding import Decoder
from ehc.web.gate import Gate
from ehc.web.observed import Observed
from ehc.web.reply import JSON, Reply, Streamed
from ehc.web.wire.base import Body
from ehc.wiring.services import Services

BODY_LIMIT = 64 * 1024


Verify = Callable[[bytes, str | None, int, int | None], bytes | Awaitable[bytes | None] | None]
"""ports.ShortWay.verify"""


class Shortcut(Protocol):
    """Answers the most usual requests of an endpoint at once (shortcut.py)."""

    @property
    def verify(self) -> Verify: ...

    def learn(self, body: bytes, request: Any, caller: Caller) -> None: ...


BODY = (400, 408, 413, 415, 422, 500, 503)
"""Problems of every endpoint that takes a body and asks a system."""


class Call(msgspec.Struct):
    """A request that may be served: who asks, and the systems that answer. A Struct: one is made for every request."""

    services: Services
    observed: Observed
    caller: Caller = ANYBODY
    operation: str = ""  # the handler's name
    purpose: str = ""  # X-Purpose: why plain data is looked at
    looked: bool = False
    client_time: str | None = None  # X-Client-Time
    gate: Gate | None = None  # of a signed endpoint, whose handler finds out who asks
    cost: int = 1  # a handler that does the work of many requests says so: the caller's rate pays for it

    async def look(self, account: int | None, at: str = "") -> None:
        """Record the look at a person, before anything plain is rendered: a reply without one does not leave.
        at: whom, where that is no account."""
        now, request = self.services.clock(), logs.request_id.get() or ""
        look = Look(now, self.caller.name, f"{self.operation} {at}".rstrip(), account, self.purpose, request)
        await run_in_threadpool(self.services.looks.record, look)
        self.looked = True

    def seen(self, institution: str | None, terminal: str | None) -> None:
        """The request came from this terminal."""
        if institution is not None and terminal is not None:
            services, told = self.services, self.client_time
            fast = None if told is None else ahead(told, services.clock)
            services.sightings.see(institution, terminal, services.clock(), fast)

    def institution(self, named: str | None) -> str | None:
        """The institution a request is for. Raises Forbidden where the caller speaks for another one."""
        own = self.caller.institution
        if own is not None and named not in (None, own):
            raise Forbidden(f"{self.caller.name} speaks for {own}, not for another institution")
        return own or named


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
    body: type[msgspec.Struct] | None = None  # a Body, but for what others define (FHIR)
    decoder: Callable[[Any], Decoder] = msgspec.json.Decoder  # of the body, by its wire type
    stream: tuple[str, ...] = ()  # media types of a body that the handler reads in pieces, as AsyncIterator[bytes]
    takes: tuple[str, ...] = (JSON,)  # media types of a body that is decoded
    body_limit: int = BODY_LIMIT
    signed: bool = False  # no key is shown: who asks, and that they may, the handler finds in the body
    local: bool = False  # a process of the same machine needs no key
    hot: bool = False  # answered on the server's own interface (hot.py)
    shortcut: Callable[[Services], Shortcut | None] | None = None  # of a hot one, tried before its handler
    problems: tuple[int, ...] = (500,)  # beside those of the scope: all_problems has them too

    @property
    def operation(self) -> str:
        return self.handler.__name__

    @property
    def plain(self) -> bool:
        """It shows plain data of a person: a purpose is asked for, and every look recorded."""
        return self.scope in (Scope.ACCOUNTS_PLAIN, Scope.INDEX_READ)

    def all_problems(self) -> set[int]:
        of_scope = {401, 403, 429, 503} if self.scope else set()
        return {*self.problems, *of_scope, *({422} if self.plain else ())}


Chunks = AsyncIterator[bytes]
"""The body of an endpoint with `stream`; reading it raises what a body that is too large or ends early is."""
