"""Apps that sign their requests: registered, granted, given keys and licences; why a signature is not right."""

from __future__ import annotations

import os
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from ehc.crypto import http_signature as http
from ehc.crypto import wipe
from ehc.crypto.http_signature import Message
from ehc.crypto.sm2 import PublicKey, der_of
from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.sealing import NONCE_BYTES
from ehc.sdkauth import key as keys
from ehc.sdkauth import licence as licences
from ehc.sdkauth.app import RegisteredApp, new_app
from ehc.sdkauth.debugging import explain
from ehc.sdkauth.grant import Grant, Quota, new_grant
from ehc.sdkauth.key import AppKey
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.handlers.sdks import act_of, require_authority
from ehc.web.render import sdk as render
from ehc.web.render.base import time
from ehc.web.reply import Reply
from ehc.web.wire import sdk as wire

SERIAL_BYTES = 16


async def add_app(call: Call, body: wire.NewApp) -> Reply:
    require_authority(call)
    made = new_app(
        body.name,
        body.owner,
        call.services.clock(),
        kind=body.kind,
        package=body.package,
        certificate=_bytes(body.certificate),
        public_key=_public_key(body.public_key),
        sandbox=body.sandbox,
        report=body.report,
        rate=body.rate,
    )
    await run_in_threadpool(call.services.app_registry.add, made, act_of(call))
    return reply.json(render.app(made), 201)


async def list_apps(call: Call) -> Reply:
    found = await run_in_threadpool(call.services.app_registry.all)
    return reply.json(wire.SdkApps([render.app(one) for one in found]))


async def show_app(call: Call, app: str) -> Reply:
    return await _show(lambda: call.services.app_registry.find(app))


async def change_app(call: Call, app: str, body: wire.AppChange) -> Reply:
    require_authority(call)
    public_key, act = _public_key(body.public_key), act_of(call)
    return await _show(lambda: call.services.app_registry.amend(app, body.report, public_key, act))


async def move_app(call: Call, app: str, body: wire.AppMove) -> Reply:
    require_authority(call)
    act = act_of(call, body.reason)
    return await _show(lambda: call.services.app_registry.move(app, body.state, act))


async def _show(work: Callable[[], RegisteredApp]) -> Reply:
    return reply.json(render.app(await run_in_threadpool(work)))


async def add_grant(call: Call, app: str, body: wire.NewGrant) -> Reply:
    require_authority(call)
    now = call.services.clock()
    begins = now if body.begins_at is None else int(body.begins_at.timestamp())
    quota = None if body.quota is None else Quota(body.quota.requests, body.quota.period)
    what = (body.sdk, body.versions, body.scopes, body.institutions)
    new = new_grant(app, *what, begins_at=begins, ends_at=int(body.ends_at.timestamp()), quota=quota)
    made = await run_in_threadpool(call.services.app_registry.grant, new, act_of(call))
    return reply.json(render.grant(made, None if quota is None else 0), 201)


async def list_grants(call: Call, app: str) -> Reply:
    registry, now = call.services.app_registry, call.services.clock()

    def work() -> list[wire.AppGrant]:
        return [_used(call, one, now) for one in registry.grants(app)]

    return reply.json(wire.AppGrants(await run_in_threadpool(work)))


async def revoke_grant(call: Call, app: str, grant: str) -> Reply:
    require_authority(call)
    registry, now = call.services.app_registry, call.services.clock()
    number = _number(grant)

    def work() -> wire.AppGrant:
        return _used(call, registry.revoke_grant(app, number, act_of(call)), now)

    return reply.json(await run_in_threadpool(work))


def _used(call: Call, grant: Grant, now: int) -> wire.AppGrant:
    quota = grant.quota
    used = None if quota is None else call.services.app_registry.used(grant.number, quota.number(now))
    return render.grant(grant, used)


async def add_app_key(call: Call, app: str, body: wire.NewKey) -> Reply:
    require_authority(call)
    registry, act = call.services.app_registry, act_of(call)
    id, public_key = f"k-{os.urandom(keys.ID_BYTES).hex()}", _public_key(body.public_key)

    def work() -> AppKey:
        if body.kind == "sm2":
            return registry.add_sm2_key(app, id, keys.require_public_key(public_key), act)
        return registry.add_hmac_key(app, id, os.urandom(keys.SECRET_BYTES), os.urandom(NONCE_BYTES), act)

    return reply.json(render.key(await run_in_threadpool(work)), 201)


async def list_app_keys(call: Call, app: str) -> Reply:
    found = await run_in_threadpool(call.services.app_registry.keys, app)
    return reply.json(wire.AppKeys([render.key(one) for one in found]))


async def end_app_key(call: Call, app: str, key: str, body: wire.KeyEnd) -> Reply:
    require_authority(call)
    act = act_of(call)
    ended = await run_in_threadpool(call.services.app_registry.end_key, app, key, act.now + body.after, act)
    return reply.json(render.key(ended))


async def fetch_app_key(call: Call, app: str, key: str) -> Reply:
    require_authority(call)
    return await _fetch(call, app, key)


async def fetch_own_key(call: Call, key: str) -> Reply:
    return await _fetch(call, call.caller.name, key)


async def _fetch(call: Call, app: str, key: str) -> Reply:
    registry, act = call.services.app_registry, act_of(call)

    def work() -> wire.SealedKey:
        found, secret = registry.fetch_key(app, key, act)
        sealed = PublicKey(found.public_key or b"").encrypt(bytes(secret))
        wipe(secret)
        return wire.SealedKey(key, app, sealed.hex().upper())

    return reply.json(await run_in_threadpool(work))


async def make_licence(call: Call, app: str, body: wire.LicenceRequest) -> Reply:
    require_authority(call)
    return await _licence(call, app, body)


async def make_own_licence(call: Call, body: wire.LicenceRequest) -> Reply:
    return await _licence(call, call.caller.name, body)


async def _licence(call: Call, name: str, body: wire.LicenceRequest) -> Reply:
    services, now = call.services, call.services.clock()
    seconds = 3600 * services.settings.licence_hours

    def work() -> wire.LicenceFile:
        app, grant = services.app_registry.find(name), _grant(call, name, body.grant, now)
        file = licences.make(services.authority, app, grant, now, serial=os.urandom(SERIAL_BYTES), seconds=seconds)
        sig = der_of(licences.make_sig(services.authority, app, grant, now)).hex().upper()
        return wire.LicenceFile(file, sig, time(min(now + seconds, grant.ends_at)))

    return reply.json(await run_in_threadpool(work))


def _grant(call: Call, app: str, number: int | None, now: int) -> Grant:
    """The one that is asked for, or the first in force. Raises NotFound, Conflict."""
    grants = call.services.app_registry.grants(app)
    if number is not None:
        found = next((grant for grant in grants if grant.number == number), None)
        if found is None:
            raise NotFound(f"{app} has no grant {number}")
        return found
    in_force = [grant for grant in grants if grant.revoked_at is None and grant.begins_at <= now < grant.ends_at]
    if not in_force:
        raise Conflict(f"{app} has no grant in force")
    return in_force[0]


async def debug_signature(call: Call, body: wire.SentRequest) -> Reply:
    headers = {name.lower(): value for name, value in body.headers.items()}
    authority, target = http.split(body.url)
    message = Message(body.method.upper(), headers.get("host", authority), target, headers)
    services, data = call.services, body.body.encode()
    known, now = await run_in_threadpool(services.app_registry.admission, services.clock()), services.clock()
    found = explain(known, message, data, now, services.settings.sign_window_seconds, theirs=body.base)
    return reply.json(render.explanation(found))


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _public_key(text: str | None) -> bytes | None:
    """Raises InputError for what is no point of the curve."""
    raw = _bytes(text)
    if raw is not None:
        try:
            PublicKey(raw)
        except ValueError:
            raise InputError("public_key: not on the SM2 curve") from None
    return raw


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise NotFound("a grant has a number")
    return int(text)
