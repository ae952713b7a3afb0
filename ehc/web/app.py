"""The app: the table's routes behind the edge, over the services of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ehc.web import openapi, problems, routes
from ehc.web.edge import Edge
from ehc.web.gate import Gate
from ehc.web.starlette_routes import route
from ehc.wiring import Services


def create_app(services: Services) -> Starlette:
    """services: closed when the server ends the app."""

    gate = Gate(services)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        keeper = asyncio.create_task(gate.keep())
        yield
        keeper.cancel()
        services.close()

    app = Starlette(
        routes=[*map(route, routes.TABLE), _document_route()],
        middleware=[Middleware(Edge)],
        exception_handlers=problems.HANDLERS,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # another path is another path
    app.state.services, app.state.gate = services, gate
    return app


def _document_route() -> Route:
    document = msgspec.json.encode(openapi.document(routes.TABLE))

    async def openapi_document(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    return Route("/openapi.json", openapi_document, methods=["GET"])
