"""An endpoint as a route of Starlette: the body read and decoded, the handler called, its reply sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ehc.web.decoding import decode, decode_query, require_media_type
from ehc.web.edge import respond
from ehc.web.endpoint import Endpoint
from ehc.web.incoming import ConnectionGone
from ehc.web.reply import Reply, Streamed
from ehc.web.serving import admit, answer
from ehc.web.signed import Signed, Visit, is_signed
from ehc.web.worker import Worker


def route(endpoint: Endpoint, worker: Worker) -> Route:
    signed = Signed(worker)
    decoder = None if endpoint.body is None else msgspec.json.Decoder(endpoint.body)

    async def call(request: Request) -> Response:
        if is_signed(endpoint, request):
            return await call_signed(request)
        admitted = await admit(endpoint, worker, request.headers.get, request.client.host if request.client else "")
        raw = b"" if decoder is None else await _whole(request, endpoint)
        return _response(await answer(endpoint, admitted, worker, arguments(request, raw)))

    async def call_signed(request: Request) -> Response:
        """Once it is proven who asks, every answer is signed, a problem too."""
        proven = await signed.prove(endpoint, request)
        visit = Visit(proven)
        try:
            raw = b"" if decoder is None else await _whole(request, endpoint)
            admitted, visit = await signed.admit(endpoint, proven, raw)
            response = _response(await answer(endpoint, admitted, worker, arguments(request, raw)))
        except ConnectionGone:
            raise
        except Exception as error:
            response = respond(request.scope, error)
        return signed.answer(visit, response)

    def arguments(request: Request, raw: bytes) -> dict[str, Any]:
        given: dict[str, Any] = dict(request.path_params)
        if endpoint.query is not None:
            given["query"] = decode_query(endpoint.query, request.query_params.multi_items())
        if decoder is not None:
            given["body"] = decode(decoder, raw)
        elif endpoint.stream:
            given["body"] = _pieces(request, endpoint.stream, endpoint.body_limit)
        return given

    call.__name__ = endpoint.operation
    return Route(endpoint.path, call, methods=[endpoint.method])


async def _whole(request: Request, endpoint: Endpoint) -> bytes:
    """The body; what is over the limit is not taken into memory."""
    body = bytearray()
    async for piece in _pieces(request, endpoint.takes, endpoint.body_limit):
        body += piece
    return bytes(body)


async def _pieces(request: Request, media_types: tuple[str, ...], limit: int) -> AsyncIterator[bytes]:
    require_media_type(request.headers.get("content-type", ""), media_types)
    said, size = int(request.headers.get("content-length", "0")), 0  # the server lets digits through and nothing else
    try:
        if said > limit:
            raise _too_large(limit)
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            yield piece
    except ClientDisconnect as error:
        raise HTTPException(400, "the body ended early") from error


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"a body has at most {limit} bytes")


class _Stream(StreamingResponse):
    """Goes on reading the request's body while it answers: nobody else may wait for its messages meanwhile."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await self.stream_response(send)
        except HTTPException as error:  # of the body, which is still being read
            if error.status_code == HTTPStatus.BAD_REQUEST:  # it broke off
                raise ConnectionGone from error
            raise


def _response(reply: Reply | Streamed) -> Response:
    if isinstance(reply, Streamed):
        return _Stream(reply.chunks, reply.status, media_type=reply.media_type)
    return Response(reply.body, reply.status, dict(reply.headers), media_type=reply.media_type)
