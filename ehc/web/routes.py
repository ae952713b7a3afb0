"""The table of endpoints, hot ones first. The routes and the OpenAPI document are both made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ehc.web import handlers, wire

BODY_LIMIT = 64 * 1024
PNG = "image/png"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """handler(services, **parameters of the path, body=…) -> Response; its name is the operation's id."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Response]]
    summary: str
    answers: dict[int, type[msgspec.Struct] | str]  # status -> wire type, or media type of what is not JSON
    body: type[wire.Body] | None = None
    problems: tuple[int, ...] = field(default=(500,))


_BODY = (400, 413, 415, 422, 500, 503)

TABLE = (
    Endpoint(
        "POST",
        "/v1/verify",
        handlers.verify,
        "Check a scanned code in a scene; an acceptance in a scene of single use uses it up",
        {200: wire.VerifyAnswer},
        wire.VerifyRequest,
        _BODY,
    ),
    Endpoint(
        "POST",
        "/v1/codes",
        handlers.make_code,
        "A static or dynamic code for a card",
        {200: wire.Code},
        wire.CodeRequest,
        (*_BODY, 404, 409),
    ),
    Endpoint(
        "POST",
        "/v1/codes/png",
        handlers.draw_code,
        "The same, drawn as a QR symbol",
        {200: PNG},
        wire.CodeRequest,
        (*_BODY, 404, 409),
    ),
    Endpoint(
        "POST",
        "/v1/cards",
        handlers.register_card,
        "The card of a person: a new one, or the one that they have; a cancelled one is restored",
        {201: wire.RegisteredCard, 200: wire.RegisteredCard},
        wire.Registration,
        (*_BODY, 409),
    ),
    Endpoint("GET", "/v1/cards/{card_id}", handlers.show_card, "A card", {200: wire.Card}, problems=(404, 500, 503)),
    Endpoint("GET", "/v1/time", handlers.tell_time, "The service's clock", {200: wire.Time}),
    Endpoint("GET", "/health", handlers.health, "This process answers", {200: wire.Status}),
    Endpoint("GET", "/ready", handlers.ready, "Store and keys answer too", {200: wire.Status}, problems=(500, 503)),
)


def route(endpoint: Endpoint) -> Route:
    decoder = None if endpoint.body is None else msgspec.json.Decoder(endpoint.body)

    async def call(request: Request) -> Response:
        arguments: dict[str, Any] = dict(request.path_params)
        if decoder is not None:
            arguments["body"] = _decode(decoder, await _read(request))
        return await endpoint.handler(request.app.state.services, **arguments)

    call.__name__ = endpoint.handler.__name__
    return Route(endpoint.path, call, methods=[endpoint.method])


async def _read(request: Request) -> bytes:
    """The body, if it says that it is JSON and has at most BODY_LIMIT bytes; what is over is not taken into memory."""
    media_type, _, parameter = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != "application/json" or parameter.strip().replace('"', "") not in ("", "charset=utf-8"):
        raise HTTPException(415, "send Content-Type: application/json")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise HTTPException(413, f"a body has at most {BODY_LIMIT} bytes")
    except ClientDisconnect as error:
        raise HTTPException(400, "the body ended early") from error
    return bytes(body)


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not UTF-8 {_first_wrong_byte(body)}") from error


def _first_wrong_byte(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"(byte {error.start})"
    return "after its escapes are resolved"
