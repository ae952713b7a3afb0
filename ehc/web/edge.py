"""The outermost ASGI layer: a request id in and out, one log line a request, no detail of an unexpected error."""

from __future__ import annotations

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ehc.web import logs, problems
from ehc.web.clocks import drift
from ehc.web.incoming import ConnectionGone
from ehc.web.traces import PARENT
from ehc.web.worker import Worker


class Edge:
    """Pure ASGI. Takes a caller's X-Request-Id when it is well-formed, else makes one."""

    def __init__(self, app: ASGIApp, worker: Worker) -> None:
        self._app, self._worker = app, worker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = logs.request_id.set(logs.request_id_of(headers.get("x-request-id")))
        try:
            await self._serve(scope, headers, receive, send)
        finally:
            logs.request_id.reset(token)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status: int | None = None
        drifted = drift(headers.get("x-client-time"), self._worker.services.clock)
        traces = self._worker.traces
        span = traces.begin(headers.get(PARENT)) if traces else None

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, drifted)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ConnectionGone:  # nobody is there to be answered
            scope["ehc.problem"] = "gone"
        except Exception as error:
            if status is not None:  # too late for another answer: the server cuts the connection
                scope["ehc.error"] = error
                raise
            await respond(scope, error)(scope, receive, send_on)
        finally:
            seconds = time.perf_counter() - started
            endpoint = getattr(scope.get("endpoint"), "__name__", None)  # not the path: it may hold a card id
            self._worker.observed.request(endpoint, status, seconds)
            if traces:
                traces.end(span, endpoint, scope["method"], status, scope.get("ehc.problem"))
            logs.request(scope["method"], endpoint, status, seconds, scope.get("ehc.problem"), scope.get("ehc.error"))


def _add_headers(message: Message, drifted: str | None) -> None:
    headers = MutableHeaders(scope=message)
    headers["x-request-id"] = logs.request_id.get() or ""
    headers.setdefault("cache-control", "no-store")  # people's data, and codes that end
    if drifted is not None:
        headers["x-clock-drift"] = drifted


def respond(scope: Scope, error: Exception) -> Response:
    """The answer, after what is to be logged was noted."""
    found = problems.answer(error, scope["path"])
    scope["ehc.problem"] = found.problem
    scope["ehc.error"] = error if found.fault else None
    reply = found.reply
    return Response(reply.body, reply.status, dict(reply.headers), media_type=reply.media_type)


async def on_error(request: Request, error: Exception) -> Response:
    """Starlette's handler of what it would answer in words of its own."""
    return respond(request.scope, error)
