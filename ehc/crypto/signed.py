"""Signed codes, profile E3 (native/README.md, "Codes of ours"): `EHC3:` and base45 of header, alias and an SM2
signature, 149 characters in all.

Header and alias are those of E2, so who has the issuer's public key can check a code without any network, and only the
server can tell whose it is. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ehc import _native
from ehc.crypto.base45 import base45_decode, base45_encode
from ehc.crypto.compact import CompactCode, CompactVerdict
from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError, PayloadError
from ehc.model import Reason

PREFIX = "EHC3:"
CHARACTERS = 149
MESSAGE = 32  # bytes that are signed: header and alias
_RAW = 96
_PROFILE = 0x31
_EPOCH = 1_577_836_800  # 2020-01-01T00:00:00Z
_DAY = 86_400

_DETAILS = {
    Reason.ACCEPTED: "",
    Reason.LENGTH: f"a signed code has {CHARACTERS} characters",
    Reason.CHARACTER: "a character outside base45 at offset {offset}",
    Reason.GRAMMAR: "not EHC3: and a signed code from offset {offset} on",
    Reason.KEY_VERSION: "the code names a signing key that is not among the issuer's, or an alias of no key known here",
    Reason.FORGED: "the code was not signed by this issuer",
    Reason.EXPIRED: "the code has lived its time",
    Reason.EARLY: "the code's time of issue lies ahead",
}


class SignedVerdict(CompactVerdict):
    """What checking a signed code found. account: None where only signatures can be checked, as on a terminal."""

    __slots__ = ()

    @property
    def alias(self) -> bytes:
        """16 bytes: the same for all codes of a person within a day. Of an authentic code."""
        return _raw_of(self._text)[0][16:MESSAGE]

    def with_reason(self, reason: Reason) -> SignedVerdict:
        """What a later step says of the same authentic code."""
        return self if reason is self.reason else _verdict(self._text, reason, self.code, _raw_of(self._text)[0])

    @property
    def code(self) -> CompactCode | None:
        raw, _, _ = _raw_of(self._text)
        return _header(raw, self.account) if raw else None

    @property
    def detail(self) -> str:
        return _DETAILS.get(self.reason, _LATER).format(offset=self.offset)

    @property
    def offset(self) -> int | None:
        return _raw_of(self._text)[1]


def signed_message(compact: str, version: int) -> bytes:
    """Header and alias of an E2 code as those of an E3 code under this version (1..255) of the signing key: what is to
    be signed, 32 bytes."""
    raw = base45_decode(compact[len(PREFIX) :])
    return bytes([_PROFILE]) + raw[1:4] + bytes([version]) + raw[5:MESSAGE]


def signed_text(message: bytes, signature: bytes) -> str:
    """message: as signed_message; signature: r ‖ s, 64 bytes."""
    if (len(message), len(signature)) != (MESSAGE, _RAW - MESSAGE):
        raise ValueError("a signed code is of 32 bytes of message and 64 of signature")
    return PREFIX + base45_encode(message + signature)


def alias_of(compact: str) -> bytes:
    """The alias in an E2 code, 16 bytes."""
    return base45_decode(compact[len(PREFIX) :])[16:MESSAGE]


def check_signed(
    payload: str | bytes, keys: Mapping[int, bytes], now: int, *, issuer: int | None = None, tolerance: int = 60
) -> SignedVerdict:
    """Steps 1 to 5: grammar, key version, signature, time window; the alias stays closed.

    keys: public keys (x ‖ y, 64 bytes) by version; issuer: whose they are, None: whoever the code names.
    """
    raw, _, reason = _raw_of(payload)
    if not raw:
        return _verdict(payload, reason)
    code = _header(raw, None)
    key = keys.get(code.key_version)
    if key is None or issuer not in (None, code.issuer):
        return _verdict(payload, Reason.KEY_VERSION)
    if not _public_key(key).verify(raw[MESSAGE:], raw[:MESSAGE]):
        return _verdict(payload, Reason.FORGED)
    reason = Reason.ACCEPTED
    if now + tolerance < code.issued_at:
        reason = Reason.EARLY
    elif code.expiry is not None and code.expiry < now - tolerance:
        reason = Reason.EXPIRED
    return _verdict(payload, reason, code, raw)


def day_of_alias(issued_at: int) -> int:
    """Days since 2020 of a code's time of issue."""
    return (issued_at - _EPOCH) // _DAY


def with_account(found: SignedVerdict, account: int | None) -> SignedVerdict:
    """The verdict of an authentic code, once its alias was tried. account: None when no key opens it."""
    if account is None:
        return _verdict(found._text, Reason.KEY_VERSION)
    object.__setattr__(found, "account", account)
    return found


def _verdict(text: str | bytes, reason: Reason, code: CompactCode | None = None, raw: bytes = b"") -> SignedVerdict:
    verdict = object.__new__(SignedVerdict)
    values = {
        "reason": reason,
        "expiry": code and code.expiry,
        "account": None,
        "issued_at": code and code.issued_at,
        "serial_name": raw[1:5] + raw[10:16],
        "_text": text,
    }
    for name, value in values.items():
        object.__setattr__(verdict, name, value)
    return verdict


_LATER = "refused by a later step than those of the signature"


@lru_cache(64)
def _raw_of(payload: str | bytes) -> tuple[bytes, int | None, Reason]:
    """Steps 1 and 2: the 96 bytes, or where and why there are none. A scanner may end its line."""
    text = _native.text_bytes(payload).rstrip(b"\r\n\t")
    if len(text) != CHARACTERS:
        return b"", 0, Reason.LENGTH
    if not text.startswith(PREFIX.encode()):
        return b"", 0, Reason.GRAMMAR
    try:
        raw = base45_decode(text[len(PREFIX) :])
    except PayloadError as error:
        reason = Reason.CHARACTER if "character" in str(error) else Reason.GRAMMAR
        return b"", len(PREFIX) + (error.offset or 0), reason
    return (raw, None, Reason.ACCEPTED) if raw[0] == _PROFILE else (b"", len(PREFIX), Reason.GRAMMAR)


def _header(raw: bytes, account: int | None) -> CompactCode:
    place = int.from_bytes(raw[1:4], "big")
    issued_at, serial = _EPOCH + int.from_bytes(raw[6:10], "big"), int.from_bytes(raw[10:16], "big")
    return CompactCode(place >> 4, place & 15, raw[4], raw[5] >> 5, raw[5] & 31, issued_at, serial, account)


@lru_cache(256)
def _public_key(raw: bytes) -> PublicKey:
    """Raises InputError for one that is no point of the curve."""
    if len(raw) != 64:
        raise InputError("an issuer's public key has 64 bytes")
    return PublicKey(raw)
