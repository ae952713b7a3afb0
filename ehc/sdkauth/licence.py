"""Making a licence: bound to package and certificate, to one grant's SDK and scopes, short-lived."""

from __future__ import annotations

from ehc.crypto import legacy_signature as legacy
from ehc.crypto import licence as licences
from ehc.crypto.licence import Licence
from ehc.errors import Conflict, Forbidden
from ehc.sdkauth.app import RegisteredApp
from ehc.sdkauth.authority import Authority
from ehc.sdkauth.grant import Grant


def make(authority: Authority, app: RegisteredApp, grant: Grant, now: int, *, serial: bytes, seconds: int) -> str:
    """The file. serial: random. It ends with the grant where that is earlier. Raises Conflict, Forbidden,
    KeyUnavailable."""
    certificate = _bound(app, grant, now)
    version = authority.version
    scopes, ends_at = tuple(sorted(grant.scopes)), min(now + seconds, grant.ends_at)
    names = (app.name, app.package, certificate.hex().upper(), grant.sdk, grant.versions)
    text = licences.unsigned(Licence(*names, scopes, serial.hex(), now, ends_at, version))
    signed_by, signature = authority.sign(text.encode())
    if signed_by != version:
        raise Conflict("the key that signs licences has just changed: ask again")
    return licences.sealed(text, signature)


def make_sig(authority: Authority, app: RegisteredApp, grant: Grant, now: int) -> bytes:
    """r ‖ s of the field's .sig file: it has no end, so it is for SDKs that know no other."""
    return authority.sign(legacy.sig_text(app.package, _bound(app, grant, now), grant.sdk))[1]


def _bound(app: RegisteredApp, grant: Grant, now: int) -> bytes:
    """The certificate that a licence is bound to."""
    if app.certificate is None:
        raise Conflict(f"{app.name} is a system: it has no package that a licence could be bound to")
    if not app.usable:
        raise Forbidden(f"{app.name} is {app.state.value}: it gets no licence")
    if grant.revoked_at is not None or not grant.begins_at <= now < grant.ends_at:
        raise Forbidden("this grant is not in force: it gives no licence")
    return app.certificate
