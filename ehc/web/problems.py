"""Every error as a problem document (RFC 9457). What ehc raises goes through `ehc.errors.TABLE`; what is not ours shows
no detail."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ehc.errors import EhcError, IdentityError, TooMany, Unauthenticated, edge
from ehc.web import logs
from ehc.web.wire import base as wire

TITLES = {
    "identity": "The person's document is refused",
    "payload": "Not a health card payload",
    "file": "The file cannot be used",
    "input": "What was sent is refused",
    "refused": "The code is not accepted",
    "key-unavailable": "A key is not available",
    "keyring": "The keyring cannot be used",
    "configuration": "The service is not configured",
    "unauthenticated": "Who asks is not known",
    "forbidden": "The caller may not do this",
    "too-many": "The caller goes too fast",
    "not-found": "There is no such thing",
    "conflict": "The present state does not allow this",
    "unavailable": "A part of the service does not answer",
    "error": "The service failed",
    "internal": "The service failed",
    "malformed": "The body is not JSON in UTF-8",
    "no-such-path": "There is no such path",
    "method": "The path has no such method",
    "too-large": "The body is too large",
    "media-type": "The body must be of another media type",
    "timeout": "The body did not come in time",
}
"""Last part of the type -> title. The first ones are those of ehc.errors.TABLE, the last are HTTP's own."""

_HTTP = {400: "malformed", 404: "no-such-path", 405: "method", 408: "timeout", 413: "too-large", 415: "media-type"}
_FIELD = re.compile(r"`\$\.(\S+)`$|field `(\S+)`")
_BYTE = re.compile(r"\(byte (\d+)\)")


def document(
    slug: str, status: int, detail: str | None = None, field: str | None = None, offset: int | None = None
) -> wire.Problem:
    instance = f"urn:ehc:request:{logs.request_id.get()}"
    return wire.Problem(f"urn:ehc:problem:{slug}", TITLES[slug], status, instance, detail, field, offset)


def answer(problem: wire.Problem, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(problem)
    return Response(body, problem.status, headers, media_type="application/problem+json")


def of_error(error: Exception) -> wire.Problem:
    """The document for any exception; for one that is not ours, without detail."""
    row = edge(error)
    shown = isinstance(error, EhcError) and (row.http < 500 or row.http == HTTPStatus.SERVICE_UNAVAILABLE)
    field = error.field if isinstance(error, IdentityError) else None
    return document(row.problem, row.http, str(error) if shown else None, field)


def headers_of(error: Exception) -> dict[str, str]:
    """What HTTP wants beside the document."""
    if isinstance(error, Unauthenticated):
        return {"www-authenticate": 'Bearer realm="ehc"'}
    return {"retry-after": str(error.retry_after)} if isinstance(error, TooMany) else {}


async def on_ehc_error(request: Request, error: Exception) -> Response:
    return _noted(request, of_error(error), error, headers_of(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    http = cast(HTTPException, error)
    detail = http.detail
    if http.status_code == HTTPStatus.NOT_FOUND:
        detail = "/openapi.json lists the paths there are"
    if http.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"this path has {(http.headers or {}).get('Allow', 'other methods')}"
    problem = document(_HTTP.get(http.status_code, "error"), http.status_code, detail)
    return _noted(request, problem, http, dict(http.headers or {}))


async def on_validation_error(request: Request, error: Exception) -> Response:
    """The body is JSON of another shape."""
    found = _FIELD.search(str(error))
    field = next((name for name in found.groups() if name), None) if found else None
    return _noted(request, document("input", 422, str(error), field), error)


async def on_decode_error(request: Request, error: Exception) -> Response:
    """The body is not JSON."""
    found = _BYTE.search(str(error))
    offset = int(found.group(1)) if found else None
    return _noted(request, document("malformed", 400, str(error), offset=offset), error)


def _noted(
    request: Request, problem: wire.Problem, error: Exception, headers: dict[str, str] | None = None
) -> Response:
    """The answer, after the edge has been told what to log."""
    request.scope["ehc.problem"] = problem.type
    request.scope["ehc.error"] = error if problem.status >= 500 else None
    return answer(problem, headers)


HANDLERS = {
    EhcError: on_ehc_error,
    HTTPException: on_http_error,
    msgspec.ValidationError: on_validation_error,
    msgspec.DecodeError: on_decode_error,
}
