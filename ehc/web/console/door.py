"""The console's door: who comes in, from where, with which form; and what they get when something is refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
import anyio.to_thread
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from ehc.access.rate import alone, take
from ehc.access.session import SEEN_EVERY, Session, digest_of, form_token, is_form_token, timeouts
from ehc.crypto.claims import Bucket
from ehc.errors import EhcError, Forbidden, IdentityError, InputError, TooMany
from ehc.web import logs, problems
from ehc.web.console import cookies
from ehc.web.console.drawing import Drawing
from ehc.web.console.page import HOME, PASSWORD, SECOND_FACTOR, SIGN_IN, Page, Visit
from ehc.web.console.sentences import SENTENCES
from ehc.web.decoding import decode_query, require_media_type
from ehc.web.worker import Worker

FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 16_384
PAGES_AT_ONCE = 8
"""Threads that the console has of its own: it takes none from the API."""

SLOW_AT_ONCE, SLOW_WAITING = 2, 16
SIGN_INS_A_SECOND, SIGN_INS_AT_ONCE = 0.5, 10
"""Of one address. What it protects is processor and memory: guessing is slowed down by name (access/sign_in.py)."""

ADDRESSES = 4096


class Door:
    """One a process."""

    def __init__(self, worker: Worker, drawing: Drawing) -> None:
        self._worker, self._services, self.drawing = worker, worker.services, drawing
        self._timeouts = timeouts(worker.services.settings)
        self._pages, self._slow = anyio.CapacityLimiter(PAGES_AT_ONCE), anyio.CapacityLimiter(SLOW_AT_ONCE)
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    async def serve(self, page: Page, request: Request) -> Response:
        visit = self._visit(page, request)
        try:
            _require_own(request, visit)
            fields = await _form(request) if page.method == "POST" else {}
            if page.slow:
                self._pace(visit.address)
            limiter = self._slow if page.slow else self._pages
            return await anyio.to_thread.run_sync(lambda: self._answer(visit, request, fields), limiter=limiter)
        except Exception as error:
            return self.refusal(request, error, visit)

    def _visit(self, page: Page, request: Request) -> Visit:
        secure = request.url.scheme == "https" or self._services.settings.console_behind_tls
        cookie = request.cookies.get(cookies.name(cookies.SESSION, secure), "")
        visit = Visit(
            services=self._services,
            observed=self._worker.observed,
            drawing=self.drawing,
            page=page,
            path=request.url.path,
            language=cookies.language(request),
            cookie=cookie or request.cookies.get(cookies.name(cookies.FORM, secure), ""),
            secure=secure,
            address=request.client.host if request.client else "",
        )
        return visit

    def _pace(self, address: str) -> None:
        bucket = self._buckets.pop(address, None) or alone(SIGN_INS_A_SECOND, SIGN_INS_AT_ONCE)
        self._buckets[address] = bucket
        while len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        take((bucket,), anyio.current_time())
        if self._slow.statistics().tasks_waiting >= SLOW_WAITING:
            raise TooMany(5)

    def _answer(self, visit: Visit, request: Request, fields: dict[str, str]) -> Response:
        """In a thread: from here on everything may wait."""
        page = visit.page
        visit.session = self._session(visit)
        try:
            away = self._away(visit)
            if away is not None:
                return away
            arguments = _arguments(page, request, fields, visit)
            answer = page.handler(visit, **arguments)
            if page.deed and visit.deed is None:
                raise AssertionError(f"{page.name} changed something, and recorded no deed")
            return answer
        except Exception as error:
            if visit.session and page.roles is not None and (page.deed or isinstance(error, Forbidden)):
                visit.failed(_slug(error))
            raise

    def _session(self, visit: Visit) -> Session | None:
        """The session that the cookie names, while it lasts."""
        found = self._services.sessions.find(digest_of(visit.cookie)) if visit.cookie else None
        if found is None:
            return None
        now = visit.now
        if self._timeouts.is_over(found, now):
            self._services.sessions.end(found.digest)
            return None
        if now - found.seen_at >= SEEN_EVERY:
            self._services.sessions.seen(found.digest, now)
        return found

    def _away(self, visit: Visit) -> Response | None:
        """Where whoever may not see this page is sent. Raises Forbidden for an operator of another role."""
        page, session = visit.page, visit.session
        if page.roles is None:
            return None
        if session is None:
            return RedirectResponse(SIGN_IN, 303)
        if session.operator.one_time_until is not None and not page.unfinished:
            return RedirectResponse(PASSWORD, 303)
        required = self._services.settings.console_second_factor == "required"
        if required and session.operator.second_factor_at is None and not (page.unbound or page.unfinished):
            return RedirectResponse(SECOND_FACTOR, 303)
        if session.operator.role not in page.roles:
            raise Forbidden("this page is for operators of another role")
        return None

    def refusal(self, request: Request, error: Exception, visit: Visit | None = None) -> Response:
        """A page that says what was refused; an unexpected error has its stack in the log, and none of it here."""
        found = problems.answer(error)
        request.scope["ehc.problem"] = found.problem
        request.scope["ehc.error"] = error if found.fault else None
        language = cookies.language(request)
        names = {
            "operator": visit.session.operator if visit and visit.session else None,
            "slug": _slug(error),
            "sentence": sentence(error, language),
            "path": "",
            "back": HOME,
            "csrf": form_token(visit.cookie) if visit and visit.cookie else "",
            "done": "",
            "status": found.reply.status,
            "request_id": logs.request_id.get() or "",
        }
        page = self.drawing.draw("error.html", language, names)
        return Response(page, found.reply.status, dict(found.reply.headers), "text/html; charset=utf-8")


def _slug(error: Exception) -> str:
    """The last part of its problem type."""
    return problems.answer(error).problem.removeprefix("urn:ehc:problem:")


def sentence(error: Exception, language: str) -> str:
    """What it says, in this language; empty where only its kind can be said."""
    if not isinstance(error, EhcError) or problems.answer(error).fault:
        return ""
    if language == "en":
        return str(error)
    return SENTENCES.get(error.field if isinstance(error, IdentityError) else str(error), "")


def _require_own(request: Request, visit: Visit) -> None:
    """Raises Forbidden for what comes over an open network, or from a page of somebody else."""
    header = request.headers.get
    far = visit.address not in ("127.0.0.1", "::1") or any(map(header, ("forwarded", "x-forwarded-for")))
    if far and not visit.secure:
        raise Forbidden("the console is reached through TLS alone (settings tls_certificate, console_behind_tls)")
    if visit.page.method == "POST" and header("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("this form was sent by another site")


async def _form(request: Request) -> dict[str, str]:
    """Raises HTTPException, InputError."""
    require_media_type(request.headers.get("content-type", ""), (FORM,))
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > FORM_BYTES:
                raise HTTPException(413, f"a form has at most {FORM_BYTES} bytes")
    except ClientDisconnect as error:
        raise HTTPException(400, "the form ended early") from error
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        raise InputError("this is not a form of this page") from None
    return _fields(pairs)


def _fields(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """An empty one is as one that is not there; scopes are ticked, so they stand several times."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields and name != "scopes":
            raise InputError("this is not a form of this page")
        fields[name] = f"{fields[name]} {value}" if name in fields else value
    return {name: value for name, value in fields.items() if value}


def _arguments(page: Page, request: Request, fields: dict[str, str], visit: Visit) -> dict[str, Any]:
    """Raises Forbidden, InputError."""
    arguments: dict[str, Any] = dict(request.path_params)
    if page.method == "POST":
        if not is_form_token(fields.pop("csrf", ""), visit.cookie):
            raise Forbidden("this form does not belong to this session, or is too old: open the page again")
        if page.form is not None:
            arguments["form"] = _decoded(page.form, fields)
    elif page.query is not None:
        arguments["query"] = query = _decoded(page.query, _fields(request.query_params.multi_items()))
        visit.done = getattr(query, "done", "")
    return arguments


def _decoded(kind: type[Any], fields: Mapping[str, str]) -> Any:
    try:
        return decode_query(kind, fields.items())
    except msgspec.ValidationError:
        raise InputError("this is not a form of this page") from None
