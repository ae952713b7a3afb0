"""The outermost ASGI layer: a request id in and out, one log line a request, no detail of an unexpected error."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ehc.web import logs, problems

log = logging.getLogger("ehc.web")

_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")


class Edge:
    """Pure ASGI. Takes a caller's X-Request-Id when it is well-formed, else makes one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = logs.request_id.set(_request_id(scope))
        try:
            await self._serve(scope, receive, send)
        finally:
            logs.request_id.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status: int | None = None

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            scope["ehc.error"] = error
            if status is not None:  # too late for another answer: the server cuts the connection
                raise
            problem = problems.of_error(error)
            scope["ehc.problem"] = problem.type
            await problems.answer(problem)(scope, receive, send_on)
        finally:
            _log(scope, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    headers["x-request-id"] = logs.request_id.get() or ""
    headers["cache-control"] = "no-store"  # people's data, and codes that end


def _log(scope: Scope, status: int | None, seconds: float) -> None:
    """The endpoint's name, not the path: a path may hold a card id."""
    fields = {
        "method": scope["method"],
        "endpoint": getattr(scope.get("endpoint"), "__name__", None),
        "status": status,
        "ms": round(seconds * 1000, 3),
        "problem": scope.get("ehc.problem"),
    }
    error = scope.get("ehc.error")
    log.log(logging.ERROR if error else logging.INFO, "request", exc_info=error, extra={"fields": fields})
