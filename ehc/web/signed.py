"""Requests that are signed instead of showing a key: proven before their body is read, admitted after it.

The steps are those of sdkauth/admission.py. 1 to 5 come first: who cannot sign makes nobody read a body. An answer is
signed with the app's own hmac key, or by this system; its nonce is the request's.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from ehc.access.caller import Scope
from ehc.access.looks import purpose_of
from ehc.crypto import hmac_sm3
from ehc.crypto import http_signature as http
from ehc.crypto import legacy_signature as legacy
from ehc.crypto.http_signature import Message
from ehc.errors import Forbidden, TooMany, Unauthenticated
from ehc.sdkauth.admission import LEGACY, Admitted, Proven, Way, require_body
from ehc.web.endpoint import Call, Endpoint
from ehc.web.worker import Worker
from ehc.wiring.services import Services

AUTHORITY_KEY = "authority-"
"""And the version: keyid of answers that this system signs."""

_ANSWER = ("@status", "content-type", "content-digest")


def is_signed(endpoint: Endpoint, request: Request) -> bool:
    """It shows no key, and signs. Endpoints for everybody, and those whose handler finds out who asks, are not."""
    headers = request.headers
    if endpoint.scope is None or endpoint.signed or "authorization" in headers:
        return False
    return "signature-input" in headers or LEGACY[0] in headers


@dataclass(frozen=True, slots=True)
class Visit:
    """A request between its proof and its answer."""

    proven: Proven
    deprecated: bool = False
    sandbox: bool = False


class Signed:
    """The signed requests of one process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def prove(self, endpoint: Endpoint, request: Request) -> Proven:
        """Steps 1 to 5. Raises Unauthenticated, Forbidden, Unavailable."""
        services = self._worker.services
        known, message = await self._worker.gate.admission(), message_of(request)
        if "signature-input" not in message.headers and not services.settings.legacy_signing:
            raise Unauthenticated("this service takes no digests of existing SDKs: sign as RFC 9421 says")
        if endpoint.stream:
            raise Forbidden("a body that is read in pieces cannot be signed: send this with a key")
        times = {"now": services.clock(), "window": services.settings.sign_window_seconds}
        return known.prove(message, has_body=endpoint.body is not None, **times)

    async def admit(self, endpoint: Endpoint, proven: Proven, body: bytes) -> tuple[Call, Visit]:
        """Steps 6 to 10. Raises Unauthenticated, Forbidden, TooMany, Unavailable, InputError for a missing purpose."""
        worker, scope = self._worker, endpoint.scope
        if scope is None:
            raise TypeError(f"{endpoint.operation} is for everybody")
        require_body(proven.message, body)
        now = worker.services.clock()
        admitted = (await worker.gate.admission()).decide(proven, scope, now)
        worker.gate.pace(admitted.ways[0].caller)
        await self._once(proven)
        way = await self._way(admitted, now)
        headers = proven.message.headers
        purpose = purpose_of(headers.get("x-purpose", "")) if endpoint.plain else ""
        call = Call(self._services(admitted, scope), worker.observed, way.caller, endpoint.operation, purpose)
        call.client_time = headers.get("x-client-time")
        return call, Visit(proven, admitted.deprecated, admitted.app.sandbox)

    async def _once(self, proven: Proven) -> None:
        """Step 9. Raises Unauthenticated."""
        services = self._worker.services
        until = proven.created + 2 * services.settings.sign_window_seconds
        first = services.hot.once(proven.once, proven.created, until)
        if not (await first if isinstance(first, Awaitable) else first):
            raise Unauthenticated("this request was sent before: another one has another nonce")

    async def _way(self, admitted: Admitted, now: int) -> Way:
        """Step 10: the first grant with a request left. Raises TooMany."""
        for way in admitted.ways:
            if await self._worker.quotas.take(way.grant, now):
                return way
        waits = [way.grant.quota.wait(now) for way in admitted.ways if way.grant.quota is not None]
        raise TooMany(min(waits))

    def _services(self, admitted: Admitted, scope: Scope) -> Services:
        """What an app asks for itself is never the sandbox's. Raises Forbidden where there is none."""
        worker = self._worker
        if not admitted.app.sandbox or scope is Scope.SDK:
            return worker.services
        if worker.sandbox is None:
            raise Forbidden("this service has no sandbox: the setting `sandbox` is off")
        return worker.sandbox

    def answer(self, visit: Visit, response: Response) -> Response:
        """The response, signed."""
        own = {"x-sdk-deprecated": "true"} if visit.deprecated else {}
        own |= {"x-sandbox": "true"} if visit.sandbox else {}
        for name, value in (own | self._signature(visit.proven, response)).items():
            response.headers[name] = value
        return response

    def _signature(self, proven: Proven, response: Response) -> dict[str, str]:
        body, opened = bytes(response.body), proven.opened
        if opened.key.kind == "legacy" and opened.secret is not None:
            return {"x-digest": legacy.digest(body, opened.secret.decode())}
        own = {"content-type": response.headers["content-type"], "content-digest": http.content_digest(body)}
        message, services, secret = Message("", "", "", own, response.status_code), self._worker.services, opened.secret
        key, algorithm = opened.key.id, "hmac-sm3"
        if secret is None:
            key, algorithm = f"{AUTHORITY_KEY}{services.authority.version}", "sm2-sm3"
        of = {"key_id": key, "algorithm": algorithm, "nonce": proven.nonce, "tag": http.ANSWER_TAG}
        text = http.signature_input(_ANSWER, created=services.clock(), **of)

        def sign(base: bytes) -> bytes:
            return services.authority.sign(base)[1] if secret is None else hmac_sm3(secret, base)

        return {"content-digest": own["content-digest"], **http.signature_headers(message, _ANSWER, sign, text)}


def message_of(request: Request) -> Message:
    """What a signature is over: headers that stand several times are one, as RFC 9421 joins them."""
    headers = {name: ", ".join(request.headers.getlist(name)) for name in set(request.headers.keys())}
    scope = request.scope
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"].decode("latin-1")
    target = raw.decode("latin-1") + (f"?{query}" if query else "")
    return Message(request.method, headers.get("host", ""), target, headers)
