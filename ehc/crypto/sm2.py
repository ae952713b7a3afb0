"""SM2 (GB/T 32918) on OpenSSL's libcrypto, which is found at run time: signatures, encryption, key agreement.

Points are 64 bytes x ‖ y, signatures 64 bytes r ‖ s, ciphertexts C1 (64) ‖ C3 (32) ‖ C2. Without a libcrypto that has
SM2 every use raises Unavailable, which says what to install; importing this module needs none.

    >>> from ehc.crypto.sm2 import PrivateKey
    >>> key = PrivateKey.generate()
    >>> key.public_key.verify(key.sign(b"text"), b"text")
    True
"""

from __future__ import annotations

from typing import Self

from ehc import _native
from ehc._native import sm3
from ehc.errors import InputError

Readable = bytes | bytearray | memoryview

DEFAULT_USER_ID = b"1234567812345678"
"""GM/T 0009, 10: the id of whoever has none."""


class PublicKey:
    """raw: 64 bytes x ‖ y. Raises InputError when that is no point of the curve."""

    __slots__ = ("_key",)

    def __init__(self, raw: Readable) -> None:
        if len(raw) != 64:
            raise InputError(f"an SM2 public key has 64 bytes (x and y), not {len(raw)}")
        self._key = _native.Sm2Key(raw)

    def __bytes__(self) -> bytes:
        return self._key.point

    @property
    def fingerprint(self) -> str:
        """The first 8 bytes of SM3 of the 64, upper-case hex."""
        return sm3(bytes(self))[:8].hex().upper()

    def verify(self, signature: Readable, message: Readable, *, user_id: Readable = DEFAULT_USER_ID) -> bool:
        return self.verify_digest(signature, self.digest(message, user_id=user_id))

    def verify_digest(self, signature: Readable, e: Readable) -> bool:
        """e: 32 bytes, as digest() gives them."""
        return self._key.verify(signature, e)

    def digest(self, message: Readable, *, user_id: Readable = DEFAULT_USER_ID) -> bytes:
        """e = SM3(Z ‖ message), which is what is signed. user_id: at most 8191 bytes."""
        return self._key.e(message, user_id)

    def z(self, user_id: Readable = DEFAULT_USER_ID) -> bytes:
        """Z of part 2, 5.5: what binds a signature to the signer's id and key."""
        return self._key.e(None, user_id)

    def encrypt(self, message: Readable) -> bytes:
        """C1 ‖ C3 ‖ C2: 96 bytes more than the message, which has 1 byte to 1 MiB."""
        return self._key.encrypt(message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and bytes(self) == bytes(other)

    def __hash__(self) -> int:
        return hash(bytes(self))

    def __repr__(self) -> str:
        return f"<sm2.PublicKey {self.fingerprint}>"


class PrivateKey:
    """raw: 32 bytes, 1 to n - 2, copied into memory that is wiped when the key is dropped; wipe your own copy.

    No attribute, repr or pickle gives the bytes back; write_raw does, for sealing.
    """

    __slots__ = ("_key", "public_key")

    def __init__(self, raw: Readable) -> None:
        if len(raw) != 32:
            raise InputError(f"an SM2 private key has 32 bytes, not {len(raw)}")
        self._set(_native.Sm2Key(raw))

    def _set(self, key: _native.Sm2Key) -> None:
        self._key, self.public_key = key, PublicKey(key.point)

    @classmethod
    def generate(cls) -> Self:
        """A new key of the system's random numbers."""
        made = cls.__new__(cls)
        made._set(_native.Sm2Key(None))
        return made

    def sign(self, message: Readable, *, user_id: Readable = DEFAULT_USER_ID) -> bytes:
        return self.sign_digest(self.public_key.digest(message, user_id=user_id))

    def sign_digest(self, e: Readable) -> bytes:
        """e: 32 bytes, as PublicKey.digest gives them."""
        return self._key.sign(e)

    def decrypt(self, ciphertext: Readable) -> bytearray:
        """The message, yours to wipe. Raises InputError when it was not made for this key or has been changed."""
        return self._key.decrypt(ciphertext)

    def agree(
        self,
        once: PrivateKey,
        other: PublicKey,
        other_once: PublicKey,
        *,
        initiator: bool,
        z: tuple[bytes, bytes],
        length: int = 16,
    ) -> Agreement:
        """Key agreement (part 3). once: this side's one-time key; z: of initiator and responder, by PublicKey.z.

        Raises InputError when no key comes of the other side's points.
        """
        key, sb, sa = self._key.agree(once._key, other._key, other_once._key, *z, initiator, length)
        return Agreement(key, sb, sa)

    def write_raw(self, into: bytearray) -> None:
        """The 32 bytes, for sealing only; wipe the buffer."""
        self._key.write_raw(into)

    def __repr__(self) -> str:
        return f"<sm2.PrivateKey of {self.public_key.fingerprint}>"


class Agreement:
    """key: the shared key, yours to wipe; sb, sa: the confirmations that responder and initiator send."""

    __slots__ = ("key", "sa", "sb")

    def __init__(self, key: bytearray, sb: bytes, sa: bytes) -> None:
        self.key, self.sb, self.sa = key, sb, sa


def der_of(signature: Readable) -> bytes:
    """64 bytes r ‖ s as DER (GM/T 0009)."""
    return _native.sm2_to_der(signature)


def of_der(der: Readable) -> bytes:
    """DER as 64 bytes. Raises InputError for anything but the one encoding of two numbers."""
    signature = _native.sm2_of_der(der)
    if signature is None:
        raise InputError("not the DER of an SM2 signature: a sequence of two positive numbers of at most 32 bytes")
    return signature
