"""The hot endpoints on Granian's own interface (RSGI): a look-up by path, the key, the body, the handler, the reply.

One coroutine a request and nothing between: no Request, no Response, no middleware, no log line of what went well. The
same handlers answer the same endpoints under ASGI (starlette_routes.py), with the same bytes.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from ehc.web import logs, problems
from ehc.web.clocks import drift
from ehc.web.decoding import decode, require_media_type
from ehc.web.endpoint import Call, Endpoint
from ehc.web.gate import Gate
from ehc.web.incoming import Bodies, ConnectionGone
from ehc.web.observed import Observed
from ehc.web.reply import JSON, Reply
from ehc.wiring import Services

_NO_STORE = ("cache-control", "no-store")
_TYPES = {JSON: ("content-type", JSON)}


class Hot:
    """One endpoint with a scope and a JSON body, and no parameters in its path."""

    def __init__(self, endpoint: Endpoint, services: Services, gate: Gate, bodies: Bodies, observed: Observed) -> None:
        if endpoint.scope is None or endpoint.body is None or endpoint.plain:
            raise TypeError(f"{endpoint.operation} cannot be hot")
        self.method = endpoint.method
        self._endpoint, self._scope, self._handler = endpoint, endpoint.scope, endpoint.handler
        self._services, self._gate, self._bodies, self._observed = services, gate, bodies, observed
        self._decoder = msgspec.json.Decoder(endpoint.body)

    async def __call__(self, scope: Any, proto: Any) -> None:
        """scope, proto: as granian.rsgi has them."""
        started = time.perf_counter()
        headers = scope.headers
        request_id = logs.request_id_of(headers.get("x-request-id"))
        logs.request_id.set(request_id)  # in the context of this request's own task
        try:
            reply = await self._reply(headers, proto)
        except ConnectionGone:
            self._observed.request(self._endpoint.operation, self.method, None, time.perf_counter() - started)
            return
        except Exception as error:
            reply = self._problem(error, started)
        drifted = drift(headers.get("x-client-time"), self._services.clock)
        sent = [_TYPES.get(reply.media_type) or ("content-type", reply.media_type), ("x-request-id", request_id)]
        sent += (_NO_STORE, *reply.headers)
        if drifted is not None:
            sent.append(("x-clock-drift", drifted))
        proto.response_bytes(reply.status, sent, reply.body)
        self._observed.request(self._endpoint.operation, self.method, reply.status, time.perf_counter() - started)

    async def _reply(self, headers: Any, proto: Any) -> Reply:
        gate = self._gate
        if not gate.fresh:
            await gate.refresh()
        caller = gate.check(headers.get("authorization"), self._scope)
        call = Call(self._services, self._observed, caller, self._endpoint.operation)
        content_type = headers.get("content-type", "")
        if content_type != JSON:
            require_media_type(content_type, (JSON,))
        body = await self._bodies.whole(headers, proto, self._endpoint.body_limit)
        reply = await self._handler(call, body=decode(self._decoder, body))
        if not isinstance(reply, Reply):
            raise TypeError(f"{self._endpoint.operation} streams: it cannot be hot")
        if call.cost > 1:
            gate.charge(call.caller, call.cost - 1)
        return reply

    def _problem(self, error: Exception, started: float) -> Reply:
        found = problems.answer(error)
        seconds = time.perf_counter() - started
        fault = error if found.fault else None
        logs.request(self.method, self._endpoint.operation, found.reply.status, seconds, found.problem, fault)
        return found.reply
