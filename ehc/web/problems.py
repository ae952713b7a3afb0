"""Every error as a problem document (RFC 9457). What ehc raises goes through `ehc.errors.TABLE`; what is not ours shows
no detail."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from starlette.exceptions import HTTPException

from ehc.errors import EhcError, IdentityError, TooMany, Unauthenticated, edge
from ehc.web import logs
from ehc.web.render import fhir
from ehc.web.reply import PROBLEM, Reply
from ehc.web.wire.base import Problem

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


class Answered(NamedTuple):
    """An error on its way out."""

    reply: Reply
    problem: str  # its type
    fault: bool  # of ours, not of the caller: the log has the stack


def answer(error: Exception, path: str = "") -> Answered:
    """The reply for any exception; on FHIR's paths it is an OperationOutcome."""
    problem, headers = _document(error), _headers(error)
    if path.startswith(fhir.ROOT):
        reply = fhir.outcome(problem)._replace(headers=headers)
    else:
        reply = Reply(msgspec.json.encode(problem), problem.status, PROBLEM, headers)
    return Answered(reply, problem.type, problem.status >= 500)


def _document(error: Exception) -> Problem:
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, msgspec.ValidationError):  # the body is JSON of another shape
        found = _FIELD.search(str(error))
        field = next((name for name in found.groups() if name), None) if found else None
        return _problem("input", 422, str(error), field)
    if isinstance(error, msgspec.DecodeError):  # the body is not JSON
        at = _BYTE.search(str(error))
        return _problem("malformed", 400, str(error), offset=int(at.group(1)) if at else None)
    return of_error(error)


def of_error(error: Exception) -> Problem:
    """For an exception that does not come from HTTP or JSON; one that is not ours gets no detail."""
    row = edge(error)
    shown = isinstance(error, EhcError) and (row.http < 500 or row.http == HTTPStatus.SERVICE_UNAVAILABLE)
    field = error.field if isinstance(error, IdentityError) else None
    return _problem(row.problem, row.http, str(error) if shown else None, field)


def _of_http(error: HTTPException) -> Problem:
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = "/openapi.json lists the paths there are"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"this path has {(error.headers or {}).get('Allow', 'other methods')}"
    return _problem(_HTTP.get(error.status_code, "error"), error.status_code, detail)


def _problem(
    slug: str, status: int, detail: str | None = None, field: str | None = None, offset: int | None = None
) -> Problem:
    instance = f"urn:ehc:request:{logs.request_id.get()}"
    return Problem(f"urn:ehc:problem:{slug}", TITLES[slug], status, instance, detail, field, offset)


def _headers(error: Exception) -> tuple[tuple[str, str], ...]:
    """What HTTP wants beside the document."""
    if isinstance(error, Unauthenticated):
        return (("www-authenticate", 'Bearer realm="ehc"'),)
    if isinstance(error, TooMany):
        return (("retry-after", str(error.retry_after)),)
    given = error.headers if isinstance(error, HTTPException) else None
    return tuple((name.lower(), value) for name, value in (given or {}).items())
