"""How the field's existing SDKs are authorised and sign (domain: SDK authorisation; families A and B).

    app_secret = SM3(app_id ‖ system_key), upper-case hex      ✓ published vector
    digest     = SM3(data ‖ app_secret), hex                   ✓ rule, ○ what data is
    data       = parameters by name, `name=value`, `&` between; those without a value left out   △ the usual form
    .sig       = upper-case hex of the DER of an SM2 signature over package ‖ certificate digest ‖ SDK name   △ its text

A digest with the secret at the end is no MAC that one would choose today: whoever may, signs as RFC 9421
(http_signature.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ehc.crypto import constant_time_equal, sm3


def app_secret(app_id: str, system_key: str) -> str:
    """64 upper-case hex digits."""
    return sm3((app_id + system_key).encode()).hex().upper()


def sorted_parameters(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if parameters[name] != "")


def digest(data: str | bytes, secret: str) -> str:
    """64 upper-case hex digits."""
    raw = data.encode() if isinstance(data, str) else data
    return sm3(raw + secret.encode()).hex().upper()


def is_digest(given: str, data: str | bytes, secret: str) -> bool:
    """Either case of hex."""
    return constant_time_equal(given.upper().encode("utf-8", "replace"), digest(data, secret).encode())


def sig_text(package: str, certificate: bytes, sdk: str) -> bytes:
    """What a .sig file signs. △ certificate: its digest, in upper-case hex."""
    return (package + certificate.hex().upper() + sdk).encode()
