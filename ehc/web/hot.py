"""The hot endpoints on Granian's own interface (RSGI): a look-up by path, the key, the body, the handler, the reply.

One coroutine a request and nothing between: no Request, no Response, no middleware, no log line of what went well. The
same handlers answer the same endpoints under ASGI (starlette_routes.py), with the same bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from time import perf_counter
from typing import Any, cast

from ehc.access.caller import Caller
from ehc.crypto.hot import PlainRequest, PlainRequests
from ehc.model import Reason
from ehc.web import logs, problems
from ehc.web.clocks import ALARM_SECONDS, ahead, drift
from ehc.web.decoding import decode, require_media_type
from ehc.web.endpoint import Call, Endpoint, Verify
from ehc.web.incoming import ConnectionGone
from ehc.web.reply import JSON, Reply
from ehc.web.traces import PARENT
from ehc.web.worker import Worker

SIGNED = ("signature-input", "x-app-id")
_NO_STORE = ("cache-control", "no-store")
_JSON = ("content-type", JSON)
_ACCEPTED = Reason.ACCEPTED


def _replying(endpoint: Endpoint) -> Callable[..., Awaitable[Reply]]:
    """Its handler, which streams nothing: what streams has no wire type as an answer."""
    return cast(Callable[..., Awaitable[Reply]], endpoint.handler)


def _no_shortcut(body: bytes, institution: str | None, now: int, fast: int | None) -> None:
    """Of an endpoint that has none."""


class Hot:
    """One endpoint with a scope and a JSON body, and no parameters in its path."""

    def __init__(self, endpoint: Endpoint, worker: Worker, bridge: Callable[[Any, Any], Awaitable[None]]) -> None:
        if endpoint.scope is None or endpoint.body is None or endpoint.plain:
            raise TypeError(f"{endpoint.operation} cannot be hot")
        self.method = endpoint.method
        self._operation, self._scope, self._handler = endpoint.operation, endpoint.scope, _replying(endpoint)
        self._limit, self._worker, self._bridge = endpoint.body_limit, worker, bridge
        self._clock = worker.services.clock
        self._asked = worker.observed.operation(endpoint.operation)
        self._decoder = endpoint.decoder(endpoint.body)
        self._shortcut = endpoint.shortcut(worker.services) if endpoint.shortcut else None
        self._verify: Verify = self._shortcut.verify if self._shortcut else _no_shortcut
        self._enter = self._plain().enter if self._shortcut and not worker.traces else None

    def _plain(self) -> PlainRequests:
        worker = self._worker
        return PlainRequests(
            worker.gate.doors,
            self._scope,
            limit=self._limit,
            identify=logs.request_id_of,
            ahead=partial(ahead, clock=self._clock),
            alarm=ALARM_SECONDS,
            head=[_JSON, _NO_STORE],
            closing=worker.closing,
            operation=self._asked,
            verdicts=worker.observed.by_verdict,
            accepted=_ACCEPTED,
        )

    def __call__(self, scope: Any, proto: Any) -> Coroutine[Any, Any, None]:
        """scope, proto: as granian.rsgi has them."""
        one = None if self._enter is None else self._enter(scope.headers.get)
        return self._serve(scope, proto) if one is None else self._serve_plain(one, proto)

    async def _serve_plain(self, one: PlainRequest, proto: Any) -> None:
        """What is usual by three native calls, with Python where it waits; the same answers as _serve's."""
        problem = None
        try:
            body = await self._worker.bodies.in_time(proto())
            answer = self._verify(body, one.caller.institution, self._clock(), one.fast)
            if answer is not None and not isinstance(answer, bytes):
                answer = await answer
            if answer is not None:
                one.accept(proto, answer)
                return
            logs.request_id.set(one.request_id)
            reply = await self._reply(body, one.caller, one.client_time)
        except ConnectionGone:
            self._done(None, one.started, None, "gone")
            return
        except Exception as error:
            logs.request_id.set(one.request_id)
            reply, problem = self._problem(error, one.started)
        self._send(proto, reply, one.request_id, one.client_time)
        self._done(reply.status, one.started, None, problem)

    async def _serve(self, scope: Any, proto: Any) -> None:
        started = perf_counter()
        worker, header = self._worker, scope.headers.get
        authorization = header("authorization")
        if authorization is None and any(map(header, SIGNED)):
            await self._bridge(scope, proto)  # signed requests have one way in (signed.py)
            return
        request_id = logs.request_id_of(header("x-request-id"))
        logs.request_id.set(request_id)  # in the context of this request's own task
        span = worker.traces.begin(header(PARENT)) if worker.traces else None
        client_time = header("x-client-time")
        problem = None
        try:
            caller = worker.gate.check(authorization, self._scope)
            if caller is None:
                caller = await worker.gate.admit(authorization, self._scope)
            if (content_type := header("content-type", "")) != JSON:
                require_media_type(content_type, (JSON,))
            body = await worker.bodies.whole(header, proto, self._limit)
            answer = self._verify(body, caller.institution, self._clock(), ahead(client_time, self._clock))
            if answer is not None and not isinstance(answer, bytes):
                answer = await answer
            if answer is None:
                reply = await self._reply(body, caller, client_time)
            else:
                worker.observed.verdict(_ACCEPTED)
                reply = Reply(answer)
        except ConnectionGone:
            self._done(None, started, span, "gone")
            return
        except Exception as error:
            reply, problem = self._problem(error, started)
        self._send(proto, reply, request_id, client_time)
        self._done(reply.status, started, span, problem)

    async def _reply(self, body: bytes, caller: Caller, client_time: str | None) -> Reply:
        """By the endpoint's handler."""
        worker = self._worker
        call = Call(worker.services, worker.observed, caller, self._operation, "", False, client_time)
        request = decode(self._decoder, body)
        reply = await self._handler(call, request)
        if self._shortcut is not None:
            self._shortcut.learn(body, request, caller)
        if call.cost > 1:
            worker.gate.charge(caller, call.cost - 1)
        return reply

    def _send(self, proto: Any, reply: Reply, request_id: str, client_time: str | None) -> None:
        media_type = _JSON if reply.media_type == JSON else ("content-type", reply.media_type)
        headers = self._headers(media_type, request_id, client_time)
        proto.response_bytes(reply.status, [*headers, *reply.headers], reply.body)

    def _headers(self, media_type: tuple[str, str], request_id: str, client_time: str | None) -> list[tuple[str, str]]:
        headers = [media_type, _NO_STORE, ("x-request-id", request_id), *self._worker.closing]
        if client_time is not None and (drifted := drift(client_time, self._clock)):
            headers.append(("x-clock-drift", drifted))
        return headers

    def _done(self, status: int | None, started: float, span: Any, problem: str | None) -> None:
        self._asked.request(status or 0, perf_counter() - started)
        if traces := self._worker.traces:
            traces.end(span, self._operation, self.method, status, problem)

    def _problem(self, error: Exception, started: float) -> tuple[Reply, str]:
        found = problems.answer(error)
        seconds = perf_counter() - started
        fault = error if found.fault else None
        logs.request(self.method, self._operation, found.reply.status, seconds, found.problem, fault)
        return found.reply, found.problem
