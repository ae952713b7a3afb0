"""Everything that is not hot: a request of Granian's interface (RSGI) as one of ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from granian._granian import RSGIProtocolClosed
from starlette.types import ASGIApp, Message, Scope

from ehc.web.incoming import ConnectionGone
from ehc.web.worker import Worker

ANY_SIZE = 1 << 62
"""The endpoint bounds its body itself, piece by piece."""


async def serve(app: ASGIApp, scope: Any, proto: Any, worker: Worker) -> None:
    """scope, proto: as granian.rsgi has them. A body is only read when the app asks for it."""
    request = _Request(scope, proto, worker)
    await app(_scope(scope), request.receive, request.send)


def _scope(of: Any) -> Scope:
    host, _, port = of.client.rpartition(":")
    server, _, server_port = of.server.rpartition(":")
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in of.headers.items()]
    if of.authority and "host" not in of.headers:
        headers.append((b"host", of.authority.encode("latin-1", "replace")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": of.http_version,
        "method": of.method,
        "scheme": of.scheme,
        "path": of.path,
        "raw_path": of.path.encode("utf-8"),
        "query_string": of.query_string.encode("latin-1", "replace"),
        "root_path": "",
        "headers": headers,
        "client": (host, int(port or 0)),
        "server": (server, int(server_port or 0)),
        "state": {},
    }


class _Request:
    """One request's two functions."""

    def __init__(self, scope: Any, proto: Any, worker: Worker) -> None:
        self._proto, self._closing = proto, worker.closing
        self._pieces: AsyncIterator[bytes] | None = aiter(worker.bodies.pieces(scope.headers.get, proto, ANY_SIZE))
        self._start: Message = {}
        self._stream: Any = None

    async def receive(self) -> Message:
        if self._pieces is None:
            await self._proto.client_disconnect()
            return {"type": "http.disconnect"}
        try:
            return {"type": "http.request", "body": await anext(self._pieces), "more_body": True}
        except StopAsyncIteration:
            self._pieces = None
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._stream is None and not more:
            self._proto.response_bytes(self._start["status"], self._headers(), bytes(body))
        elif self._stream is None:
            self._stream = self._proto.response_stream(self._start["status"], self._headers())
        if self._stream is not None and body:
            try:
                await self._stream.send_bytes(bytes(body))
            except RSGIProtocolClosed:
                raise ConnectionGone from None

    def _headers(self) -> list[tuple[str, str]]:
        own = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start["headers"]]
        return own + self._closing
