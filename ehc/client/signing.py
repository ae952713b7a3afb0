"""How a request says who asks: a key that it shows, or a signature (RFC 9421) over all that gives it its meaning.

A signed request's answer is signed too, with the request's nonce in it: one that is not, or is another's, is refused.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from ehc.crypto import constant_time_equal, hmac_sm3
from ehc.crypto import http_signature as http
from ehc.crypto.http_signature import Message
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.errors import InputError, Unavailable

UNSIGNED = frozenset({400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 502, 503, 504})
"""Refusals that a service, or what stands before it, gives before it knows who asks: they are errors, never an answer.
404: a path that the service has not; 403: a body that cannot be signed."""

_ANSWER = ("@status", "content-type", "content-digest")


@dataclass(frozen=True, slots=True)
class BearerKey:
    """A key that is shown (`ehc admin caller add`)."""

    key: str

    def __repr__(self) -> str:
        return "BearerKey()"


class HmacKey:
    """An authorisation key of 32 bytes (`ehc sdk key`). Keep no other copy of it."""

    algorithm = "hmac-sm3"

    def __init__(self, id: str, key: bytes | bytearray) -> None:
        if len(key) != 32:
            raise InputError("an hmac key has 32 bytes")
        self.id, self._key = id, bytes(key)

    def sign(self, base: bytes) -> bytes:
        return hmac_sm3(self._key, base)

    def is_answer(self, key_id: str, base: bytes, signature: bytes) -> bool:
        return key_id == self.id and constant_time_equal(self.sign(base), signature)

    def __repr__(self) -> str:
        return f"HmacKey({self.id!r})"


class Sm2Key:
    """The app's own key pair. authority: version -> public key, as /v1/sdk/authority lists them; answers are checked
    with them, so they come from where the app comes from, not from the connection."""

    algorithm = "sm2-sm3"

    def __init__(self, id: str, key: PrivateKey, authority: Mapping[int, bytes]) -> None:
        self.id, self._key = id, key
        self._authority = {f"authority-{version}": PublicKey(raw) for version, raw in authority.items()}

    def sign(self, base: bytes) -> bytes:
        return self._key.sign(base)

    def is_answer(self, key_id: str, base: bytes, signature: bytes) -> bool:
        known = self._authority.get(key_id)
        return known is not None and known.verify(signature, base)

    def __repr__(self) -> str:
        return f"Sm2Key({self.id!r})"


class SigningKey(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    def sign(self, base: bytes) -> bytes: ...
    def is_answer(self, key_id: str, base: bytes, signature: bytes) -> bool: ...


class Signing(httpx.Auth):
    """Signs each request anew, a repeated one too: another nonce, another time. clock: seconds since 1970."""

    requires_request_body = True
    requires_response_body = True

    def __init__(self, key: SigningKey, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        nonce = base64.urlsafe_b64encode(os.urandom(18)).decode()
        self._sign(request, nonce)
        response = yield request
        self._check(response, nonce)

    def _sign(self, request: httpx.Request, nonce: str) -> None:
        if request.content:
            request.headers["content-digest"] = http.content_digest(request.content)
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = request.url.raw_path.decode("ascii")
        message = Message(request.method, headers["host"], target, headers)
        components = http.components_of(message, has_body=bool(request.content))
        of = {"key_id": self._key.id, "algorithm": self._key.algorithm, "nonce": nonce}
        text = http.signature_input(components, created=int(self._clock()), **of)
        request.headers.update(http.signature_headers(message, components, self._key.sign, text))

    def _check(self, response: httpx.Response, nonce: str) -> None:
        """Raises Unavailable for an answer that the service did not sign for this request."""
        if "signature-input" not in response.headers and response.status_code in UNSIGNED:
            return
        try:
            right = self._is_right(response, nonce)
        except (InputError, KeyError):
            right = False
        if not right:
            raise Unavailable(
                "the answer is not signed by the service for this request: somebody else may have sent it"
            )

    def _is_right(self, response: httpx.Response, nonce: str) -> bool:
        headers = {name.lower(): value for name, value in response.headers.items()}
        signed = http.parse(headers["signature-input"], http.ANSWER_TAG)
        message = Message("", "", "", headers, response.status_code)
        base = http.signature_base(message, signed.components, signed.text)
        signature = http.signature_of(headers.get("signature", ""), signed.label)
        whole = set(_ANSWER) <= set(signed.components) and signed.nonce == nonce
        body = http.is_digest_of(headers["content-digest"], response.content)
        return whole and body and self._key.is_answer(signed.key_id, base, signature)
