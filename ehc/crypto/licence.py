"""Licence files (授权码文件): made by this system, carried by an app, checked without a connection.

    EHC-LICENCE-1.<base64url of the terms, JSON>.<base64url of the SM2 signature, 64 bytes>

Signed is everything before the last dot. The file is ASCII without a line break, base64url without padding and in the
one spelling that its bytes have: any other bit anywhere is another text, and refused. △ All of it is ours: the field's
own form (legacy_signature.py, `.sig`) has neither an end nor a version.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ehc.crypto.sm2 import PublicKey
from ehc.errors import Forbidden, InputError

HEAD = "EHC-LICENCE-1"
SIGNATURE_BYTES = 64
MOST_CHARACTERS = 8192
TOLERANCE = 60
"""△ Seconds that the clock of whoever checks may be wrong."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What the app may, until when. certificate: digest of the one it is signed with, hex; versions: a range."""

    app: str
    package: str
    certificate: str
    sdk: str
    versions: str
    scopes: tuple[str, ...]
    serial: str
    begins_at: int  # seconds since 1970
    ends_at: int  # from this second it is refused
    key: int  # version of the key that signed it


def unsigned(licence: Licence) -> str:
    """What is to be signed."""
    terms = json.dumps(asdict(licence), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{HEAD}.{_encode(terms.encode())}"


def sealed(text: str, signature: bytes) -> str:
    """The file. text: of `unsigned`."""
    return f"{text}.{_encode(signature)}"


def read(text: str | bytes, public_keys: Mapping[int, bytes]) -> Licence:
    """A file whose signature is right under the key it names. Raises InputError for what is no licence, Forbidden for
    one that this system did not make."""
    try:
        plain = text if isinstance(text, str) else text.decode("ascii")
        signed, _, signature = plain.rpartition(".")
        head, _, terms = signed.partition(".")
        if head != HEAD or len(plain) > MOST_CHARACTERS:
            raise InputError(f"no licence file: it begins with {HEAD}. and has two parts more")
        found, raw = json.loads(_decode(terms)), _decode(signature)
        licence = Licence(**(found | {"scopes": tuple(found["scopes"])}))
    except (UnicodeError, ValueError, KeyError, TypeError) as error:
        raise InputError(error.args[0] if isinstance(error, InputError) else "the licence file is damaged") from None
    if unsigned(licence) != signed or len(raw) != SIGNATURE_BYTES:
        raise InputError("the licence file is damaged")
    public_key = public_keys.get(licence.key)
    if public_key is None or not PublicKey(public_key).verify(raw, signed.encode()):
        raise Forbidden("the licence was not signed by this system: download another one, and its public keys")
    return licence


def require_in_force(licence: Licence, *, package: str, certificate: bytes, sdk: str, now: int) -> None:
    """It is this app's, for this SDK, now. Raises Forbidden that says what is not so. Whether the SDK's version is in
    `versions` is left to whoever knows its own."""
    if licence.package != package:
        raise Forbidden("the licence is another package's")
    if licence.certificate != certificate.hex().upper():
        raise Forbidden("the licence is for an app that is signed with another certificate")
    if licence.sdk not in ("*", sdk):
        raise Forbidden(f"the licence is for the SDK {licence.sdk}")
    if now < licence.begins_at - TOLERANCE:
        raise Forbidden("the licence is not in force yet: is the clock right?")
    if now >= licence.ends_at + TOLERANCE:
        raise Forbidden("the licence is over: download another one")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise InputError("the licence file is damaged") from None
    if _encode(data) != text:
        raise InputError("the licence file is damaged")
    return data
