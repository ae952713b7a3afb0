"""The endpoints of the hospital's front-end. What comes in is plain JSON of this machine; README.md has the table."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ehc.errors import EhcError, Forbidden, InputError, NotFound, Unauthenticated, edge
from ehc.proxy.family import MODE, Family
from ehc.proxy.sending import Sender
from ehc.store.outbox import Outbox

log = logging.getLogger("ehc.proxy")

BODY_LIMIT = 8 << 20
MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Front:
    """What the front-end works with. token: what callers must show; None: this machine alone can reach it."""

    client: httpx.AsyncClient
    family: Family | None
    queue: Outbox | None
    token: str | None = field(default=None, repr=False)
    signs: bool = False  # it has a key for /v1


def create_app(front: Front) -> Starlette:
    sender = Sender(front.client, front.family, front.queue)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sending = asyncio.create_task(sender.keep_sending(log.warning))
        yield
        sending.cancel()
        await front.client.aclose()
        if front.queue is not None:
            front.queue.close()

    def family() -> Family:
        if front.family is None:
            raise NotFound("this proxy has no --app: it does not speak family A")
        return front.family

    async def sign(request: Request) -> Response:
        given = await _object(request)
        if not given or set(given) - {"head", "body"} or not all(isinstance(one, dict) for one in given.values()):
            raise InputError('send {"head": {…}, "body": {…}}; either may be left out')
        return JSONResponse(
            {f"{part}Sign": family().sign(members) for part, members in given.items()} | {"signMode": MODE}
        )

    async def encrypt(request: Request) -> Response:
        return JSONResponse(family().encrypt(await _object(request)))

    async def decipher(request: Request) -> Response:
        return JSONResponse(family().decipher(await _object(request)))

    async def do(request: Request) -> Response:
        given = await _object(request)
        method, body, org = given.get("method"), given.get("body", {}), given.get("orgCode")
        if not isinstance(method, str) or not isinstance(body, dict) or not isinstance(org, str | None):
            raise InputError('send {"method": "…", "body": {…}}, and orgCode where there is one')
        family()
        return _response(*await sender.do(method, body, org))

    async def hand_on(request: Request) -> Response:
        if not front.signs:
            raise NotFound("this proxy has no --key: it hands on nothing but family A")
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return _response(*await sender.hand_on(request.method, target, await _body(request)))

    async def queue(_request: Request) -> Response:
        counts = None if front.queue is None else front.queue.counts()
        return JSONResponse({} if counts is None else counts._asdict())

    def guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def call(request: Request) -> Response:
            try:
                _require_token(front.token, request)
                return await handler(request)
            except EhcError as error:
                return _problem(error)

        return call

    posts = {"/api/sign": sign, "/api/encrypt": encrypt, "/api/deciphering": decipher, "/api/do": do}
    routes = [Route(path, guarded(handler), methods=["POST"]) for path, handler in posts.items()]
    routes.append(Route("/proxy/queue", guarded(queue), methods=["GET"]))
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[*routes, Route("/v1/{rest:path}", guarded(hand_on), methods=every)], lifespan=lifespan)


def _require_token(token: str | None, request: Request) -> None:
    """Raises Unauthenticated; Forbidden for a page of somebody else in a browser of this machine."""
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Forbidden("pages in a browser are not served")
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
        raise Unauthenticated("send Authorization: Bearer and the token of --token-file")


async def _object(request: Request) -> dict[str, Any]:
    """Raises InputError."""
    try:
        found = msgspec.json.decode(await _body(request))
    except msgspec.MsgspecError as error:
        raise InputError(f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError("the body is a JSON object")
    return found


async def _body(request: Request) -> bytes:
    """Raises InputError for one of another kind, or over the limit."""
    kind = request.headers.get("content-type", MEDIA_TYPE).partition(";")[0].strip().lower()
    if request.method != "GET" and kind != MEDIA_TYPE:  # a form of a page could send any other without being asked
        raise InputError(f"send Content-Type: {MEDIA_TYPE}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise InputError(f"a body has at most {BODY_LIMIT:,} bytes")
    return bytes(body)


def _response(status: int, body: bytes) -> Response:
    return Response(body, status, media_type=MEDIA_TYPE if status < 400 else "application/problem+json")


def _problem(error: EhcError) -> Response:
    row = edge(error)
    document = {"type": f"urn:ehc:problem:{row.problem}", "title": "The front-end refuses", "status": row.http}
    return JSONResponse(document | {"detail": str(error)}, row.http, media_type="application/problem+json")
