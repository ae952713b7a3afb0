"""Credentials: the private keys of an identity, sealed under its owner's passphrase.

one line of JSON (identity, Argon2id parameters, nonce) ‖ SM4-GCM of the two private keys ‖ tag
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import wipe
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import InputError, KeyringError
from ehc.keys.audit import Role
from ehc.keys.identity import Identity
from ehc.keys.sealing import NONCE_BYTES, SALT_BYTES, TAG_BYTES, Argon2id, Nonce

_PRIVATE = 32


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["ehc-credential"] = "ehc-credential"
    identity: Identity
    key: Argon2id
    nonce: Nonce


class Credential:
    """The private part, open: signs, opens what was sealed to it."""

    def __init__(self, identity: Identity, signing: PrivateKey, opening: PrivateKey) -> None:
        self.identity, self._signing, self._opening = identity, signing, opening
        self.sign, self.open = signing.sign, opening.decrypt

    @classmethod
    def generate(cls, name: str, role: Role) -> Credential:
        """Raises InputError for a name that is none."""
        signing, opening = PrivateKey.generate(), PrivateKey.generate()
        made = {"name": name, "role": role.value, "format": "ehc-identity"}
        try:
            public = msgspec.convert(
                made | {"verifies": bytes(signing.public_key), "seals": bytes(opening.public_key)}, Identity
            )
        except msgspec.ValidationError:
            raise InputError("a name has 1 to 40 characters, without blanks and slashes") from None
        return cls(public, signing, opening)

    def sealed(self, secret: bytes, random: Callable[[int], bytes]) -> bytes:
        """secret: of a passphrase (sealing.secret_of_new_passphrase)."""
        head = _Sealed(identity=self.identity, key=Argon2id(salt=random(SALT_BYTES)), nonce=random(NONCE_BYTES))
        line, plain = msgspec.json.encode(head) + b"\n", bytearray(2 * _PRIVATE)
        for at, key in ((0, self._signing), (_PRIVATE, self._opening)):
            raw = bytearray(_PRIVATE)
            key.write_raw(raw)
            plain[at : at + _PRIVATE] = raw
            wipe(raw)
        cipher = Cipher(algorithms.SM4(head.key.sealing_key(secret)), modes.GCM(head.nonce)).encryptor()
        cipher.authenticate_additional_data(line)
        body = cipher.update(plain) + cipher.finalize() + cipher.tag
        wipe(plain)
        return line + body

    def __repr__(self) -> str:
        return f"<Credential of {self.identity.name} {self.identity.fingerprint}>"


def open_credential(text: bytes, secret: bytes) -> Credential:
    """secret: of the passphrase. Raises KeyringError: one text whether the passphrase or the file is wrong."""
    line, _, body = text.partition(b"\n")
    plain = bytearray(len(body))
    try:
        head = msgspec.json.decode(line, type=_Sealed)
        cipher = Cipher(
            algorithms.SM4(head.key.sealing_key(secret)), modes.GCM(head.nonce, body[-TAG_BYTES:])
        ).decryptor()
        cipher.authenticate_additional_data(line + b"\n")
        cipher.update_into(body[:-TAG_BYTES], plain)
        cipher.finalize()
        view = memoryview(plain)
        return Credential(head.identity, PrivateKey(view[:_PRIVATE]), PrivateKey(view[_PRIVATE : 2 * _PRIVATE]))
    except (InvalidTag, msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise KeyringError("the credential does not open: another passphrase, or the file was changed") from None
    finally:
        wipe(plain)
