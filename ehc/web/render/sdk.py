"""SDKs, apps, grants, keys -> wire types."""

from __future__ import annotations

from ehc.sdkauth.app import RegisteredApp
from ehc.sdkauth.debugging import NAMES, Explained
from ehc.sdkauth.grant import Grant
from ehc.sdkauth.key import AppKey
from ehc.sdkauth.sdk import Sdk
from ehc.web.render.base import time, time_or_none
from ehc.web.wire import sdk as wire


def release(sdk: Sdk) -> wire.SdkRelease:
    created, signature = time(sdk.created_at), _hex(sdk.signature)
    return wire.SdkRelease(*sdk.id, sdk.state, created, sdk.note, sdk.size, _hex(sdk.digest), signature, sdk.signed_by)


def app(one: RegisteredApp) -> wire.SdkApp:
    what = (one.package, _hex(one.certificate), _hex(one.public_key), one.report, one.sandbox)
    return wire.SdkApp(one.name, one.owner, one.kind, *what, one.state, one.rate, time(one.created_at))


def grant(one: Grant, used: int | None) -> wire.AppGrant:
    quota = None if one.quota is None else wire.GrantQuota(one.quota.requests, one.quota.period)
    places = None if one.institutions is None else sorted(one.institutions)
    revoked = time_or_none(one.revoked_at)
    what = (sorted(scope.value for scope in one.scopes), places, time(one.begins_at), time(one.ends_at))
    return wire.AppGrant(one.number, one.app, one.sdk, one.versions, *what, quota, used, revoked)


def key(one: AppKey) -> wire.AppKeyInfo:
    times = (time(one.created_at), time_or_none(one.ends_at), time_or_none(one.fetched_at))
    return wire.AppKeyInfo(one.id, one.app, one.kind, *times)


def explanation(found: Explained) -> wire.Explanation:
    steps = [wire.DebugStep(step.number, NAMES[step.number], step.right, step.detail) for step in found.steps]
    difference = None if found.difference is None else wire.BaseDifference(*found.difference)
    return wire.Explanation(steps, found.base, difference, found.hints)


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex().upper()
