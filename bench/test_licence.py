"""SDK authorisation: a licence and a signed request, checked, beside the SM2 check that is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from contender import Contender, by_name

from ehc.crypto import hmac_sm3
from ehc.crypto import http_signature as http
from ehc.crypto.http_signature import Message
from ehc.crypto.licence import Licence, read, require_in_force, sealed, unsigned
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.sdkauth.admission import Admission, OpenedKey, require_body
from ehc.sdkauth.key import AppKey

NOW = 1_767_225_600
KEY = PrivateKey((7).to_bytes(32, "big"))
KNOWN = {1: bytes(KEY.public_key)}
TERMS = ("city-app", "cn.example.health", "AB" * 32, "ehc-client", ">=1.0.0 <2.0.0", ("codes", "verify"), "00" * 16)
BODY = b'{"card_id": "AB", "kind": "static"}'


def licence() -> bool:
    found = read(FILE, KNOWN)
    require_in_force(found, package="cn.example.health", certificate=b"\xab" * 32, sdk="ehc-client", now=NOW)
    return True


def sm2_alone() -> bool:
    return PublicKey(KNOWN[1]).verify(SIGNATURE, SIGNED.encode())


SIGNED = unsigned(Licence(*TERMS, NOW, NOW + 3600, 1))
SIGNATURE = KEY.sign(SIGNED.encode())
FILE = sealed(SIGNED, SIGNATURE)


def request(kind: str) -> Any:
    """Steps 1 to 6 of a request that is signed with a key of this kind."""
    opened = OpenedKey(AppKey("k-1", "city-app", kind, NOW, public_key=KNOWN[1]), bytes(32))  # type: ignore[arg-type]
    headers = {
        "content-type": "application/json",
        "x-sdk": "ehc/1.0.0/python",
        "content-digest": http.content_digest(BODY),
    }
    message = Message("POST", "ehc.example", "/v1/codes", headers)
    names, algorithm = http.components_of(message, has_body=True), f"{kind}-sm3"
    text = http.signature_input(names, created=NOW, nonce="n" * 22, key_id="k-1", algorithm=algorithm)
    sign = KEY.sign if kind == "sm2" else lambda base: hmac_sm3(bytes(32), base)
    sent = Message("POST", "ehc.example", "/v1/codes", headers | http.signature_headers(message, names, sign, text))
    known = Admission(keys=[opened])

    def prove() -> bool:
        proven = known.prove(sent, has_body=True, now=NOW, window=300)
        require_body(sent, BODY)
        return proven.nonce == "n" * 22

    return prove


def each(once: Callable[[], bool]) -> Callable[[Any], list[bool]]:
    return lambda items: [once() for _ in items]


CONTENDERS = by_name(
    Contender("SM2 check alone", 20, each(sm2_alone)),
    Contender("licence", 20, each(licence)),
    Contender("request, sm2-sm3", 20, each(request("sm2"))),
    Contender("request, hmac-sm3", 200, each(request("hmac"))),
)


@pytest.mark.parametrize("name", CONTENDERS)
def test_sdkauth(measure, name):
    contender = CONTENDERS[name]
    assert measure("SDK authorisation", "checks", contender, range(contender.share)) == [True] * contender.share
