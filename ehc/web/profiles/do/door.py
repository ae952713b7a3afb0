"""Who asks, and that they may: app, modes, signatures, version, time, replay, rate, method, scope, in this order.

Everything that an app did wrong is an answer of the interface (HTTP 200, returnCode other than 0). A body that is no
envelope, and a part of the service that does not answer, are problem documents as everywhere.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from ehc.access.app import App
from ehc.crypto import sm3
from ehc.errors import Forbidden, InputError, KeyUnavailable, NotFound
from ehc.sdkauth.family_a import DIGESTS, SM4, Fields, is_signed, sign
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.profiles.do import wire
from ehc.web.profiles.do.codes import OK, Failure, failure_of, said
from ehc.web.profiles.do.methods import METHODS, Method, Turn
from ehc.web.reply import Reply

log = logging.getLogger("ehc.web")

_HEAD = ("appId", "nonceStr", "orgCode", "timestamp", "version")
_SECONDS = re.compile(r"[0-9]{10}", re.ASCII)


async def do(call: Call, body: wire.Request) -> Reply:
    if "do" not in call.services.settings.profiles:
        raise NotFound("this service does not speak family A: the setting `profiles` has no `do`")
    app = None if call.gate is None else await call.gate.app(body.app_id)
    try:
        if app is None:
            raise Failure("app")
        return _answer(call, app, body.sign_mode, OK, await _do(call, app, body))
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        _note(call, app, body.method, failure.name)
        return _answer(call, app, body.sign_mode, failure, {})


async def _do(call: Call, app: App, request: wire.Request) -> dict[str, Any]:
    """The datas of the answer. Raises Failure, and what the systems raise."""
    if app.secret is None:
        raise KeyUnavailable("this app's secret cannot be opened: see the keyring")
    await _check(call, app.secret, request)
    call.caller = app.caller
    if call.gate is not None:
        call.gate.pace(app.caller)
    method = METHODS.get(request.method)
    if method is None:
        raise Failure("method", f"there are {', '.join(METHODS)}")
    if method.scope not in app.caller.scopes:
        raise Forbidden(f"{app.caller.name} has not the scope {method.scope.value}")
    call.operation, call.purpose = request.method, f"/api/do {request.method}"
    turn = Turn(call, Fields(app.secret))
    return await method.answer(turn, _decoded(method, request.body))


async def _check(call: Call, secret: str, request: wire.Request) -> None:
    """Raises Failure."""
    settings, mode = call.services.settings, request.sign_mode
    if mode not in DIGESTS or (mode == "MD5" and not settings.do_md5) or request.encrypt_mode != SM4:
        raise Failure("mode", f"signMode SM3{' or MD5' if settings.do_md5 else ''}, encryptMode {SM4}")
    given = msgspec.to_builtins(request)
    head = {name: given[name] for name in _HEAD if given[name] is not None}
    if not is_signed(head, secret, mode, request.head_sign):
        raise Failure("signature", "headSign")
    if not is_signed(request.body, secret, mode, request.body_sign):
        raise Failure("signature", "bodySign")
    if request.version not in settings.do_versions:
        raise Failure("version", f"version: {', '.join(settings.do_versions)}")
    at, window = _time(secret, request.timestamp), settings.do_window_seconds
    drift = at - call.services.clock()
    if abs(drift) > window:
        raise Failure("time", f"timestamp: {drift:+d} s off, at most {window} s; set the clock")
    if not await _is_first(call, request, at):
        raise Failure("replay", "the same nonceStr and timestamp" if settings.do_replay == "head" else "")


def _time(secret: str, timestamp: int | str) -> int:
    text = str(timestamp)
    if len(text) == 32:
        text = Fields(secret).unseal("timestamp", text)
    if not _SECONDS.fullmatch(text):
        raise InputError("timestamp: seconds since 1970, ten digits")
    return int(text)


async def _is_first(call: Call, request: wire.Request, at: int) -> bool:
    """Signatures are what is told apart: who changes a byte of what was signed has to sign it anew."""
    settings = call.services.settings
    parts = [request.head_sign.lower()]
    if settings.do_replay == "request":
        parts += [request.method, request.body_sign.lower()]
    what = sm3("\0".join(("do", request.app_id, *parts)).encode())
    first = call.services.hot.once(what, at, at + settings.do_window_seconds)
    return await first if isinstance(first, Awaitable) else first


def _decoded(method: Method, body: dict[str, Any]) -> Any:
    try:
        return msgspec.convert({name: value for name, value in body.items() if value is not None}, method.body)
    except msgspec.ValidationError as error:
        raise InputError(str(error)) from None


def _answer(call: Call, app: App | None, mode: str, outcome: Failure, datas: dict[str, Any]) -> Reply:
    code, words = said(outcome.name, call.services.settings)
    signed = "" if app is None or app.secret is None or mode not in DIGESTS else sign(datas, app.secret, mode)
    text = f"{words}: {outcome.detail}" if outcome.detail else words
    return reply.json(wire.Answer(code, text, signed, str(call.services.clock()), datas))


def _note(call: Call, app: App | None, method: str, failure: str) -> None:
    """An app or a method that there is not is a stranger's text: it stays out of the log."""
    fields = {
        "caller": None if app is None else app.caller.name,
        "method": method if method in METHODS else None,
        "failure": failure,
    }
    log.info("do_refused", extra={"fields": fields})
