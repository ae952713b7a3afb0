"""Signatures and encrypted fields of family A.

sign    lower-case hex of H(members as compact JSON in UTF-8, names sorted ‖ appSecret)
field   upper-case hex of SM4/ECB over the UTF-8 text, filled with 0x00 to whole blocks; key: appSecret from hex
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ehc.crypto import KeyHandle, constant_time_equal, sm3, sm4_ecb_decrypt, sm4_ecb_encrypt
from ehc.errors import InputError

SM4 = "SM4/ECB/ZeroBytePadding"
_BLOCK = 16
_encode = msgspec.json.Encoder(order="sorted").encode

DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "SM3": sm3,
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
}
"""signMode -> H."""


def sign(members: Mapping[str, Any], secret: str, mode: str = "SM3") -> str:
    """Raises InputError for numbers that JSON cannot hold in 64 bits."""
    try:
        return DIGESTS[mode](_encode(members) + secret.encode()).hex()
    except (OverflowError, RecursionError):
        raise InputError("body: a number of over 64 bits, or nested too deep") from None


def is_signed(members: Mapping[str, Any], secret: str, mode: str, given: str) -> bool:
    """Either case of hex."""
    return constant_time_equal(sign(members, secret, mode).encode(), given.lower().encode())


class Fields:
    """The encrypted fields of one app."""

    def __init__(self, secret: str) -> None:
        self._key = KeyHandle(bytes.fromhex(secret), "app")

    def seal(self, text: str) -> str:
        """△ A text of whole blocks is not filled with one more."""
        data = text.encode()
        return sm4_ecb_encrypt(self._key, data + bytes(-len(data) % _BLOCK)).hex().upper()

    def unseal(self, name: str, sealed: str) -> str:
        """Raises InputError that names the field."""
        try:
            return sm4_ecb_decrypt(self._key, binascii.unhexlify(sealed)).rstrip(b"\0").decode()
        except ValueError:
            raise InputError(f"{name}: not {SM4} in hex under this app's secret") from None
