"""Who takes part with keys of their own: custodians (密钥管理员), machines, regions.

An identity is public: a name, a role and two SM2 public keys, one that verifies what they sign and one that others seal
to. Their private halves are the credential (credential.py), theirs alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError
from ehc.keys.audit import Role

Point = Annotated[bytes, Meta(min_length=64, max_length=64)]
Name = Annotated[str, Meta(pattern="^[^\\s/\\\\]{1,40}$")]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The public part, as its file holds it."""

    format: Literal["ehc-identity"] = "ehc-identity"
    name: Name
    role: Role = Role.USER
    verifies: Point  # x ‖ y
    seals: Point

    @property
    def fingerprint(self) -> str:
        """Of the key that verifies; read aloud when identities are exchanged."""
        return PublicKey(self.verifies).fingerprint

    def signed(self, signature: bytes, text: bytes) -> bool:
        return len(signature) == 64 and PublicKey(self.verifies).verify(signature, text)


def read_identity(text: bytes) -> Identity:
    """Raises InputError."""
    try:
        found = msgspec.json.decode(text, type=Identity)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError("this is no identity: `ehc keys identity` makes one") from None
    for point in (found.verifies, found.seals):
        PublicKey(point)
    return found
