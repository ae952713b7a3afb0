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
from ehc.crypto.secret_memory import hold
from ehc.errors import InputError, KeyringError
from ehc.keys.keyring import KEY_BYTES, Entry, Keyring, KeyState, Minimum, Purpose, Usage, new_entry
from ehc.keys.life import GONE
from ehc.keys.office import Office

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
    """The first line of a sealed keyring, as JSON. counter: one more with every writing; version 1 had none."""

    format: Literal["ehc-keyring"] = "ehc-keyring"
    version: Literal[1, 2] = 2
    counter: Annotated[int, Meta(ge=0)] = 0
    key: Derivation
    nonce: Nonce


class _Record1(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """An entry as it stood in version 1 (MessagePack)."""

    purpose: Literal["security_key", "protection_key"]
    version: int
    state: Literal["active", "deactivated"]
    created_at: int
    key: memoryview

    def entry(self) -> Entry:
        """When an old one was deactivated is not known."""
        return new_entry(Purpose(self.purpose), self.version, KeyState(self.state), self.created_at, self.key)


class _Record(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """An entry as it stands in the plaintext (MessagePack). key: empty for a version that is archived or destroyed."""

    purpose: Purpose
    version: Annotated[int, Meta(ge=1, le=255)]
    usages: tuple[Usage, ...]
    history: Annotated[tuple[tuple[KeyState, int], ...], Meta(min_length=1)]
    check_value: str
    digest_value: str
    public_key: bytes
    key: memoryview

    def entry(self) -> Entry:
        if len(self.key) != (0 if self.history[-1][0] in GONE else self.purpose.size):
            raise ValueError("a key of another size")
        return Entry(
            self.purpose,
            self.version,
            frozenset(self.usages),
            self.history,
            self.check_value,
            self.digest_value,
            self.public_key,
            bytearray(self.key),
        )


class _Content(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The plaintext of version 2."""

    entries: list[_Record]
    minimums: dict[Purpose, Minimum]
    office: Office


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


def seal(keyring: Keyring, secret: bytes, key: Derivation, nonce: bytes, counter: int = 0) -> bytes:
    """The sealed document. secret: of the passphrase or the key file; key.salt and nonce: fresh random bytes."""
    header = msgspec.json.encode(Header(counter=counter, key=key, nonce=nonce)) + b"\n"
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
    hold(plain)
    try:
        mode = modes.GCM(header.nonce, sealed[-TAG_BYTES:])
        cipher = Cipher(algorithms.SM4(_sealing_key(header.key, secret)), mode).decryptor()
        cipher.authenticate_additional_data(line + b"\n")
        size = cipher.update_into(sealed[:-TAG_BYTES], plain)
        cipher.finalize()
        return _decode(memoryview(plain)[:size], header.version)
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
    """Into a buffer of exactly its size: one that grew or was cut would leave a copy of the keys in freed memory."""
    encoder = msgspec.msgpack.Encoder()
    size = len(encoder.encode(_content(keyring, blank=True)))
    plain = bytearray(size)
    hold(plain)
    encoder.encode_into(_content(keyring), plain)
    return plain


def _content(keyring: Keyring, *, blank: bool = False) -> _Content:
    """blank: with zeros in place of every key."""
    entries = [
        _Record(
            e.purpose,
            e.version,
            tuple(sorted(e.usages)),
            e.history,
            e.check_value,
            e.digest_value,
            e.public_key,
            memoryview(bytes(len(e.raw)) if blank else e.raw),
        )
        for e in keyring.entries
    ]
    office = keyring.office
    if blank:
        zeros = [msgspec.structs.replace(one, value=bytearray(len(one.value))) for one in office.compositions]
        office = msgspec.structs.replace(office, compositions=zeros)
    return _Content(entries=entries, minimums=keyring.minimums, office=office)


def _decode(plain: memoryview, version: int) -> Keyring:
    """Records hold views of `plain`; entries hold copies, so that it can be wiped."""
    try:
        if version == 1:
            return Keyring([record.entry() for record in msgspec.msgpack.decode(plain, type=list[_Record1])])
        content = msgspec.msgpack.decode(plain, type=_Content)
        return Keyring([record.entry() for record in content.entries], content.minimums, content.office)
    except (msgspec.DecodeError, ValueError):
        raise KeyringError("the keyring opens but its content is of another version of ehc: use that version") from None
