"""Who may come in: programs of this machine, pages of this terminal, others with the token. Pure ASGI."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "ehc_terminal"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_LOCAL = ("127.0.0.1", "localhost", "::1")


class Door:
    """token: None where this machine alone can come. origins: pages of hospital software that may listen too."""

    def __init__(self, app: ASGIApp, token: str | None, origins: Collection[str] = ()) -> None:
        self._app, self._token, self._origins = app, token, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        why = self._refusal(scope, headers)
        if why and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        elif why:
            await JSONResponse({"status": 403, "title": "The terminal refuses", "detail": why}, 403)(
                scope, receive, send
            )
        elif scope["type"] == "http" and (given := self._in_query(scope)):
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(COOKIE, given, httponly=True, samesite="strict")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> str:
        """Why not; empty: come in. A name of another host is a page that turned its name into this address."""
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        if self._token is None and host not in _LOCAL:
            return "this terminal is asked by the name of another host; elsewhere it wants --token-file"
        origin = headers.get("origin")
        own = origin is not None and urlsplit(origin).netloc == headers.get("host")
        if origin is not None and not own and origin not in self._origins:
            return f"pages of {origin} are not served: start with --origin {origin}"
        if self._token is not None and not self._shown(scope, headers):
            return "send Authorization: Bearer and the token of --token-file; in a browser open /?token=… once"
        return ""

    def _shown(self, scope: Scope, headers: Headers) -> bool:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        given = [headers.get("authorization", "").removeprefix("Bearer ").strip(), cookie.value if cookie else ""]
        return any(self._is_token(one) for one in (*given, self._in_query(scope)))

    def _in_query(self, scope: Scope) -> str:
        found = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return found if self._is_token(found) else ""

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())


def _with_headers(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_on
