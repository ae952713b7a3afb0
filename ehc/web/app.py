"""The app: the table's routes behind the edge, over the services of one process.

It is one app with two faces: ASGI for any server and for tests, and RSGI for Granian, where the hot endpoints are
answered before anything of Starlette is asked (hot.py) and all others are handed over to it (bridge.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from ehc.errors import EhcError
from ehc.web import bridge, following, openapi, routes, terminals
from ehc.web.console.app import console, to_console
from ehc.web.edge import Edge, on_error
from ehc.web.hot import Hot
from ehc.web.starlette_routes import route
from ehc.web.worker import Worker, new_worker
from ehc.wiring.services import DRAIN_SIGNAL, Services

ANSWERED = (EhcError, HTTPException, msgspec.ValidationError, msgspec.DecodeError)
"""Errors that Starlette hands to `on_error` where they happen; the edge takes all others."""


class App(Starlette):
    """The two faces. Whoever serves it starts and ends it: ASGI's lifespan, or __rsgi_init__ and __rsgi_del__."""

    def __init__(self, services: Services, numbers: Path | None = None) -> None:
        self.worker = worker = new_worker(services, numbers)
        super().__init__(
            routes=[*(route(row, worker) for row in routes.TABLE), _document_route(), *_console(worker)],
            middleware=[Middleware(Edge, worker=worker)],
            exception_handlers=dict.fromkeys(ANSWERED, on_error),
            lifespan=self._lifespan,
        )
        self.router.redirect_slashes = False  # another path is another path
        self._hot = {row.path: Hot(row, worker, self._bridge) for row in routes.TABLE if row.hot}
        self._chores: list[asyncio.Task[None]] = []

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        worker = self.worker
        chores = (worker.gate.keep(), worker.bodies.sweep(), worker.observed.keep(), terminals.keep(worker.services))
        self._chores = [loop.create_task(chore) for chore in (*chores, following.keep(worker.services))]

    def _end(self) -> None:
        for chore in self._chores:
            chore.cancel()
        self.worker.close()

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._start(asyncio.get_running_loop())
        yield
        self._end()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(DRAIN_SIGNAL, self.worker.drain)
        self._start(loop)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self._end()

    def __rsgi__(self, scope: Any, proto: Any) -> Coroutine[Any, Any, None]:
        """Not a coroutine of its own: one less for every request."""
        hot = self._hot.get(scope.path)
        if hot is not None and scope.method == hot.method:
            return hot(scope, proto)
        return self._bridge(scope, proto)

    def _bridge(self, scope: Any, proto: Any) -> Coroutine[Any, Any, None]:
        return bridge.serve(self, scope, proto, self.worker)


def create_app(services: Services, numbers: Path | None = None) -> App:
    """services: closed when the server ends the app. numbers: folder for what the workers of one service count."""
    return App(services, numbers)


def _console(worker: Worker) -> tuple[Route, Mount]:
    """The operators' pages; their address without a slash leads there too."""
    return Route("/console", to_console, methods=["GET"]), Mount("/console", console(worker))


def _document_route() -> Route:
    document = msgspec.json.encode(openapi.document(routes.TABLE))

    async def openapi_document(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    return Route("/openapi.json", openapi_document, methods=["GET"])
