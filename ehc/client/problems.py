"""A problem document of the service (RFC 9457), or FHIR's OperationOutcome -> the error of ehc.errors that it was."""

from __future__ import annotations

import httpx
import msgspec

from ehc.client.answers import OperationOutcome, Problem
from ehc.errors import TABLE, EhcError, IdentityError, InputError, PayloadError, Refused, TooMany, Unavailable

_OF_TYPE = {f"urn:ehc:problem:{row.problem}": kind for kind, row in TABLE.items()}
_OF_STATUS = {400: InputError, 405: InputError, 408: Unavailable, 413: InputError, 415: InputError}


def error_of(response: httpx.Response) -> EhcError:
    problem = _problem(response)
    text = problem.detail or problem.title or f"HTTP {response.status_code}"
    kind = _OF_TYPE.get(problem.type) or _OF_STATUS.get(response.status_code)
    if kind is TooMany:
        return TooMany(retry_after(response) or 1)
    if kind is IdentityError:
        return IdentityError(problem.field or "document", text.removeprefix(f"{problem.field}: "))
    if kind in (PayloadError, Refused):
        return InputError(text)
    if kind is None or not issubclass(kind, EhcError):
        kind = Unavailable if response.status_code >= 500 else InputError
    error: EhcError = kind(text)
    return error


def retry_after(response: httpx.Response) -> int | None:
    """Whole seconds that the service asks to wait."""
    text = response.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _problem(response: httpx.Response) -> Problem:
    is_fhir = response.headers.get("content-type", "").startswith("application/fhir+json")
    try:
        if is_fhir:
            return _of_outcome(msgspec.json.decode(response.content, type=OperationOutcome))
        return msgspec.json.decode(response.content, type=Problem)
    except msgspec.MsgspecError:
        return Problem()


def _of_outcome(outcome: OperationOutcome) -> Problem:
    for issue in outcome.issue:
        for coding in issue.details.coding:
            return Problem(f"{coding.system}:{coding.code}", issue.details.text, detail=issue.diagnostics)
    return Problem()
