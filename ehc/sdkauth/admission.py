"""May this signed request come in? The steps, in this order; the numbers are those of web/signed.py and of the tests.

    1  form        Signature-Input and Signature are as RFC 9421 writes them (or the legacy headers are all there)
    2  key         it is known, live, and of this algorithm
    3  coverage    everything that gives the request its meaning is signed
    4  time        created lies in the window, expires is not over
    5  signature   it is right
    6  body        Content-Digest is the body's
    7  app, sdk    the app may go on, the SDK's release is published
    8  grant       one allows scope, SDK, institution and time; the app's rate too
    9  replay      nobody was let in with this key and nonce before (the hot state's `once`)
    10 quota       one of those grants has a request left

1 to 6 prove who asks; 9 and 10 use something up, so they come last. What fails in 1 to 6 and 9 is Unauthenticated, in 7
and 8 Forbidden, in 10 TooMany.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ehc.access.caller import Caller, Scope
from ehc.crypto import constant_time_equal, hmac_sm3, sm3
from ehc.crypto import http_signature as http
from ehc.crypto import legacy_signature as legacy
from ehc.crypto.http_signature import Message, Signed
from ehc.crypto.sm2 import PublicKey
from ehc.errors import Forbidden, InputError, Unauthenticated
from ehc.sdkauth.app import RegisteredApp
from ehc.sdkauth.grant import Grant, lacks, speaks_for
from ehc.sdkauth.key import ALGORITHMS, AppKey
from ehc.sdkauth.sdk import USABLE, SdkId, SdkState, parse_id

LEGACY = ("x-app-id", "x-timestamp", "x-nonce", "x-digest")
_MOST_HEADER = 4096
_NO_KEY = "keyid: no live key of an app has this id and algorithm"
_WRONG = "the signature is not right: `ehc sdk debug` or POST /v1/sdk/debug shows what should be signed"


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A key that can check. secret: of hmac its bytes, of legacy the app_secret's text; None where it does not open."""

    key: AppKey
    secret: bytes | None = field(default=None, repr=False)

    def is_right(self, base: bytes, signature: bytes) -> bool:
        if self.key.kind == "hmac":
            return self.secret is not None and constant_time_equal(hmac_sm3(self.secret, base), signature)
        if self.key.kind == "sm2" and self.key.public_key is not None and len(signature) == 64:
            return _public_key(self.key.public_key).verify(signature, base)
        return False


@lru_cache(1024)
def _public_key(raw: bytes) -> PublicKey:
    """Whether it is on the curve is looked at once."""
    return PublicKey(raw)


@dataclass(frozen=True, slots=True)
class Proven:
    """Who asks, after steps 1 to 5. nonce: also what an answer repeats."""

    opened: OpenedKey
    message: Message
    created: int
    nonce: str

    @property
    def once(self) -> bytes:
        """What serves once."""
        return sm3("\0".join(("sdk", self.opened.key.id, str(self.created), self.nonce)).encode())


class Way(NamedTuple):
    """A grant that allows the request, and who asks under it: a caller as every other."""

    grant: Grant
    caller: Caller


@dataclass(frozen=True, slots=True)
class Admitted:
    """ways: at least one, those without a quota first."""

    app: RegisteredApp
    ways: tuple[Way, ...]
    deprecated: bool  # the SDK's release


class Admission:
    """What is known of apps at one moment. It never changes: another one takes its place."""

    def __init__(
        self,
        apps: Sequence[RegisteredApp] = (),
        keys: Sequence[OpenedKey] = (),
        grants: Sequence[Grant] = (),
        sdks: Mapping[SdkId, SdkState] | None = None,
    ) -> None:
        self._apps = {app.name: app for app in apps}
        self._keys = {opened.key.id: opened for opened in keys}
        self._legacy: dict[str, list[OpenedKey]] = {}
        for opened in keys:
            if opened.key.kind == "legacy":
                self._legacy.setdefault(opened.key.app, []).append(opened)
        self._sdks = dict(sdks or {})
        self._grants: dict[str, list[Grant]] = {}
        for grant in grants:
            self._grants.setdefault(grant.app, []).append(grant)

    def prove(self, message: Message, *, has_body: bool, now: int, window: int) -> Proven:
        """Steps 1 to 5. Raises Unauthenticated."""
        try:
            if "signature-input" in message.headers:
                return self._prove(message, has_body=has_body, now=now, window=window)
            return self._prove_legacy(message, now=now, window=window)
        except InputError as error:
            raise Unauthenticated(str(error)) from None

    def _prove(self, message: Message, *, has_body: bool, now: int, window: int) -> Proven:
        signed, signature = parse_signature(message)
        opened = self.key(signed, now)
        require_coverage(message, signed, has_body=has_body)
        require_time(signed.created, now, window, signed.expires)
        if not opened.is_right(http.signature_base(message, signed.components, signed.text), signature):
            raise Unauthenticated(_WRONG)
        return Proven(opened, message, signed.created, signed.nonce)

    def key(self, signed: Signed, now: int) -> OpenedKey:
        """Step 2. Raises Unauthenticated."""
        opened = self._keys.get(signed.key_id)
        if opened is None or not opened.key.is_live(now) or ALGORITHMS.get(opened.key.kind) != signed.algorithm:
            raise Unauthenticated(_NO_KEY)
        return opened

    def _prove_legacy(self, message: Message, *, now: int, window: int) -> Proven:
        """X-Digest is over `legacy_parameters`; which of its keys the app used is tried out."""
        headers = message.headers
        missing = [name for name in LEGACY if not headers.get(name)]
        if missing:
            raise Unauthenticated(f"{missing[0]} is missing")
        created, nonce, app = _seconds(headers["x-timestamp"]), headers["x-nonce"], headers["x-app-id"]
        if not http.NONCE.fullmatch(nonce):
            raise InputError("X-Nonce: 16 to 64 letters, digits, - and _")
        require_time(created, now, window)
        data = legacy.sorted_parameters(legacy_parameters(message))
        for opened in self._legacy.get(app, ()):
            secret = opened.secret if opened.key.is_live(now) else None
            if secret is not None and legacy.is_digest(headers["x-digest"], data, secret.decode()):
                return Proven(opened, message, created, nonce)
        raise Unauthenticated(_WRONG)

    def decide(self, proven: Proven, scope: Scope, now: int) -> Admitted:
        """Steps 7 and 8. Raises Forbidden that says what is missing."""
        app = self._apps.get(proven.opened.key.app)
        if app is None or not app.usable:
            raise Forbidden(f"{proven.opened.key.app} is not approved, or was suspended or revoked")
        headers = proven.message.headers
        try:
            sdk = parse_id(headers.get("x-sdk", ""))
        except InputError as error:
            raise Forbidden(str(error)) from None
        state = self._sdks.get(sdk)
        if state not in USABLE:
            raise Forbidden(f"X-Sdk: {sdk} is not published{'' if state is None else f': it is {state.value}'}")
        ways = self._ways(app, sdk, scope, headers.get("x-institution"), now)
        return Admitted(app, ways, state is SdkState.DEPRECATED)

    def _ways(self, app: RegisteredApp, sdk: SdkId, scope: Scope, institution: str | None, now: int) -> tuple[Way, ...]:
        ways, reasons = [], []
        for grant in self._grants.get(app.name, ()):
            spoken = speaks_for(grant, institution)
            reason = lacks(grant, sdk, scope, spoken, now)
            if reason is None:
                ways.append(Way(grant, Caller(app.name, grant.scopes, spoken, app.rate)))
            else:
                reasons.append(f"{grant.number}: {reason}")
        if not ways:
            raise Forbidden(f"no grant of {app.name} allows this ({'; '.join(reasons[:8]) or 'it has none'})")
        return tuple(sorted(ways, key=lambda way: (way.grant.quota is not None, way.grant.number)))


def parse_signature(message: Message) -> tuple[Signed, bytes]:
    """Step 1. Raises InputError."""
    given, signature = message.headers["signature-input"], message.headers.get("signature", "")
    if max(len(given), len(signature)) > _MOST_HEADER:
        raise InputError(f"Signature-Input and Signature have at most {_MOST_HEADER} characters")
    signed = http.parse(given)
    return signed, http.signature_of(signature, signed.label)


def require_coverage(message: Message, signed: Signed, *, has_body: bool) -> None:
    """Step 3. Raises InputError that names what is not signed."""
    wanted = http.components_of(message, has_body=has_body)
    missing = [name for name in wanted if name not in signed.components]
    if missing:
        raise InputError(f"Signature-Input: {', '.join(missing)} must be signed too")


def require_time(created: int, now: int, window: int, expires: int | None = None) -> None:
    """Step 4. Raises InputError."""
    if abs(created - now) > window:
        raise InputError(f"created: {created - now:+d} s off, at most {window} s; GET /v1/time has this clock")
    if expires is not None and now > expires:
        raise InputError(f"expires: the signature was over {now - expires} s ago; sign anew")


def legacy_parameters(message: Message) -> dict[str, str]:
    """△ What an existing SDK signs of a request; body: SM3 of it, in upper-case hex, in X-Content-SM3. Raises
    InputError for a value that could be taken for two."""
    headers, path = message.headers, message.value("@path") or ""
    given = {
        "app_id": headers.get("x-app-id"),
        "body": headers.get("x-content-sm3"),
        "institution": headers.get("x-institution"),
        "method": message.method,
        "nonce": headers.get("x-nonce"),
        "path": path,
        "purpose": headers.get("x-purpose"),
        "query": message.target.partition("?")[2],
        "sdk": headers.get("x-sdk"),
        "timestamp": headers.get("x-timestamp"),
    }
    unclear = [name for name, value in given.items() if value and "&" in value and name != "query"]
    if unclear:  # it could be the next parameter, moved here
        raise InputError(f"{unclear[0]}: an & cannot be signed in this form")
    return {name: value for name, value in given.items() if value}


def require_body(message: Message, body: bytes) -> None:
    """Step 6. Raises Unauthenticated."""
    headers = message.headers
    if "signature-input" in headers:
        given = headers.get("content-digest")
        right = not body if given is None else http.is_digest_of(given.strip(), body)
    else:
        given = headers.get("x-content-sm3")
        right = not body if given is None else given.upper() == sm3(body).hex().upper()
    if not right:
        raise Unauthenticated("the body is not the one that was signed")


def _seconds(text: str) -> int:
    """Seconds, or milliseconds as family B has them."""
    if not (text.isascii() and text.isdigit() and len(text) in (10, 13)):
        raise InputError("X-Timestamp: 10 digits of seconds or 13 of milliseconds since 1970")
    return int(text[:10])
