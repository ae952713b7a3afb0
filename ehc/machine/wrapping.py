"""Secrets wrapped under a key that a machine holds, each under a key of its own; alike in every machine that can.

01 ‖ version ‖ salt (16) ‖ SM4-GCM of the secret ‖ tag (16). The key of one wrapping is SM4 of its salt under the
wrapping key, which any machine gives; what stands in front, and the name, are bound to it.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import wipe
from ehc.errors import InputError

SALT_BYTES = 16
_WRAPPED, _TAG = 1, 16  # format; bytes
_NO_NONCE = bytes(12)  # each wrapping has a key of its own


class Wrapped(NamedTuple):
    version: int  # of the wrapping key
    salt: bytes
    head: bytes
    body: bytes


def read_wrapped(wrapped: bytes) -> Wrapped:
    """Raises InputError for what no machine of ours wrapped."""
    head, body = wrapped[: 2 + SALT_BYTES], wrapped[2 + SALT_BYTES :]
    if len(body) < _TAG or head[0] != _WRAPPED:
        raise InputError("this was not wrapped by a crypto machine of ehc")
    return Wrapped(head[1], head[2:], head, body)


def wrap(secret: bytes | bytearray, name: bytes, version: int, salt: bytes, key: bytes) -> bytes:
    """key: SM4 of the salt under this version of the wrapping key."""
    head = bytes([_WRAPPED, version]) + salt
    cipher = Cipher(algorithms.SM4(key), modes.GCM(_NO_NONCE)).encryptor()
    cipher.authenticate_additional_data(head + name)
    return head + cipher.update(secret) + cipher.finalize() + cipher.tag


def unwrap(wrapped: Wrapped, name: bytes, key: bytes) -> bytearray:
    """The secret; wipe it. Raises InputError."""
    cipher = Cipher(algorithms.SM4(key), modes.GCM(_NO_NONCE, wrapped.body[-_TAG:])).decryptor()
    cipher.authenticate_additional_data(wrapped.head + name)
    secret = bytearray(len(wrapped.body) + 15)
    size = cipher.update_into(wrapped.body[:-_TAG], secret)
    try:
        cipher.finalize()
    except InvalidTag:
        wipe(secret)
        raise InputError("what was wrapped does not open: it was changed, or is of another name") from None
    return secret[:size]
