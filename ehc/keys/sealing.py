"""Sealing a keyring: SM4-GCM under a key made from a passphrase or a key file. The layout stands in README.md.

Pure: the caller brings the secret, the salt and the nonce, and keeps the bytes.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf import argon2
from msgspec import Meta

from ehc.crypto import hmac_sm3, wipe
from ehc.errors import InputError, KeyringError
from ehc.keys.keyring import KEY_BYTES, Keyring, KeyState, Purpose, new_entry

SALT_BYTES, NONCE_BYTES, TAG_BYTES = 16, 12, 16
KEY_FILE_BYTES = 32
MIN_PASSPHRASE = 12  # characters

Salt = Annotated[bytes, Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
Nonce = Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]

_NOT_OURS = "this is not a sealed keyring of this version of ehc, or it was changed; restore it from a backup"
_SHUT = (
    "the keyring does not open: the passphrase or key file is not the one it was sealed under, or the file was "
    "changed; try the right one, or restore it from a backup"
)


class Argon2id(msgspec.Struct, frozen=True, tag="argon2id", forbid_unknown_fields=True, kw_only=True):
    """Sealing key from a passphrase (RFC 9106; the second recommended parameters). Bounds keep a changed header from
    taking the machine's memory."""

    salt: Salt
    iterations: Annotated[int, Meta(ge=1, le=16)] = 3
    lanes: Annotated[int, Meta(ge=1, le=16)] = 4
    memory_kib: Annotated[int, Meta(ge=128, le=1 << 20)] = 1 << 16

    def sealing_key(self, secret: bytes) -> bytes:
        return argon2.Argon2id(
            salt=self.salt,
            length=KEY_BYTES,
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory_kib,
        ).derive(secret)


class KeyFile(msgspec.Struct, frozen=True, tag="key_file", forbid_unknown_fields=True, kw_only=True):
    """Sealing key from the 32 random bytes of a key file."""

    salt: Salt

    def sealing_key(self, secret: bytes) -> bytes:
        return hmac_sm3(secret, b"ehc keyring v1" + self.salt)[:KEY_BYTES]


Derivation = Argon2id | KeyFile


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line of a sealed keyring, as JSON."""

    format: Literal["ehc-keyring"] = "ehc-keyring"
    version: Literal[1] = 1
    key: Derivation
    nonce: Nonce


class _Record(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """An entry as it stands in the plaintext (MessagePack); the check value is made again from the key."""

    purpose: Purpose
    version: int
    state: KeyState
    created_at: int
    key: memoryview


_RECORD_BYTES = 64
"""Room for one record: 45 to 57 bytes are used. Between a half and the whole of a bytearray, the encoder shortens it
in place, so that no copy of the keys is left in freed memory."""


def secret_of_passphrase(passphrase: str) -> bytes:
    """NFC, so that two keyboards that compose a character differently give one secret. Raises KeyringError if empty."""
    if not passphrase:
        raise KeyringError("the passphrase is empty")
    return unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")


def secret_of_new_passphrase(passphrase: str) -> bytes:
    """The same for a keyring that is made now. Raises InputError for one that is too short."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise InputError(f"the passphrase has {len(passphrase)} characters: take at least {MIN_PASSPHRASE}")
    return secret_of_passphrase(passphrase)


def seal(keyring: Keyring, secret: bytes, key: Derivation, nonce: bytes) -> bytes:
    """The sealed document. secret: of the passphrase or the key file; key.salt and nonce: fresh random bytes."""
    header = msgspec.json.encode(Header(key=key, nonce=nonce)) + b"\n"
    plain = _encode(keyring)
    try:
        cipher = Cipher(algorithms.SM4(key.sealing_key(secret)), modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(header)
        return header + cipher.update(plain) + cipher.finalize() + cipher.tag
    finally:
        wipe(plain)


def read_header(document: bytes) -> Header:
    """What a sealed document says about itself, not yet authenticated. Raises KeyringError."""
    try:
        return msgspec.json.decode(document.partition(b"\n")[0], type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeyringError(_NOT_OURS) from None


def unseal(document: bytes, secret: bytes) -> Keyring:
    """The keyring of a sealed document. Raises KeyringError: one text whether the secret or the document is wrong."""
    header = read_header(document)
    line, _, sealed = document.partition(b"\n")
    if len(sealed) < TAG_BYTES:
        raise KeyringError(_NOT_OURS)
    plain = bytearray(len(sealed))
    try:
        mode = modes.GCM(header.nonce, sealed[-TAG_BYTES:])
        cipher = Cipher(algorithms.SM4(_sealing_key(header.key, secret)), mode).decryptor()
        cipher.authenticate_additional_data(line + b"\n")
        size = cipher.update_into(sealed[:-TAG_BYTES], plain)
        cipher.finalize()
        return _decode(memoryview(plain)[:size])
    except InvalidTag:
        raise KeyringError(_SHUT) from None
    finally:
        wipe(plain)


def _sealing_key(key: Derivation, secret: bytes) -> bytes:
    try:
        return key.sealing_key(secret)
    except MemoryError:
        raise KeyringError(_SHUT) from None


def _encode(keyring: Keyring) -> bytearray:
    records = [_Record(e.purpose, e.version, e.state, e.created_at, memoryview(e.raw)) for e in keyring.entries]
    plain = bytearray(_RECORD_BYTES * len(records) + 16)
    msgspec.msgpack.Encoder().encode_into(records, plain)
    return plain


def _decode(plain: memoryview) -> Keyring:
    """Records hold views of `plain`; entries hold copies, so that it can be wiped."""
    try:
        records = msgspec.msgpack.decode(plain, type=list[_Record])
        return Keyring([new_entry(r.purpose, r.version, r.state, r.created_at, r.key) for r in records])
    except (msgspec.DecodeError, ValueError):
        raise KeyringError("the keyring opens but its content is of another version of ehc: use that version") from None
