"""The console as an app of its own, below /console: its table of pages, its door, its headers."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ehc.web.console.door import Door
from ehc.web.console.drawing import STATIC, Drawing
from ehc.web.console.headers import SecurityHeaders
from ehc.web.console.page import HOME, Page
from ehc.web.console.table import PAGES
from ehc.web.worker import Worker

FOR_EVER = "public, max-age=31536000, immutable"  # its address has its digest


def console(worker: Worker) -> Starlette:
    door = Door(worker, Drawing())

    async def on_error(request: Request, error: Exception) -> Response:
        return door.refusal(request, error)

    app = Starlette(
        routes=[*(_route(page, door) for page in PAGES), _static(door.drawing)],
        middleware=[Middleware(SecurityHeaders, behind_tls=worker.services.settings.console_behind_tls)],
        exception_handlers={HTTPException: on_error},
    )
    app.router.redirect_slashes = False
    return app


async def to_console(_request: Request) -> Response:
    return RedirectResponse(HOME, 303)


def _route(page: Page, door: Door) -> Route:
    async def call(request: Request) -> Response:
        return await door.serve(page, request)

    call.__name__ = f"console_{page.name}"
    return Route(page.path, call, methods=[page.method])


def _static(drawing: Drawing) -> Route:
    async def console_static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC or request.path_params["version"] != drawing.version:
            raise HTTPException(404)
        return Response(drawing.static[name], headers={"cache-control": FOR_EVER}, media_type=STATIC[name])

    return Route("/static/{version}/{name}", console_static, methods=["GET"])
