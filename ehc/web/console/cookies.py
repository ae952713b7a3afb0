"""The console's three cookies: the session, what stands for one on the page that begins it, and the language."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from ehc.access.session import ID_BYTES
from ehc.web.console.catalogue import LANGUAGES

SESSION, FORM, LANGUAGE = "ehc_session", "ehc_form", "ehc_language"
YEAR = 366 * 86_400


def name(of: str, secure: bool) -> str:
    """Over TLS a browser takes __Host- from this host alone, for all of its paths, never without TLS."""
    return f"__Host-{of}" if secure else of


def new_id() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(ID_BYTES)


def give(response: Response, of: str, value: str, secure: bool, max_age: int | None = None) -> None:
    response.set_cookie(name(of, secure), value, max_age, path="/", secure=secure, httponly=True, samesite="strict")


def take_back(response: Response, of: str, secure: bool) -> None:
    response.delete_cookie(name(of, secure), path="/", secure=secure, httponly=True, samesite="strict")


def language(request: Request) -> str:
    """Chinese unless somebody switched."""
    wanted = {request.cookies.get(LANGUAGE), request.cookies.get(name(LANGUAGE, True))}
    return next((one for one in LANGUAGES[1:] if one in wanted), LANGUAGES[0])
