"""Sealing the secrets of apps: SM4-GCM under a key made from the protection key.

    version (1 byte) ‖ nonce (12) ‖ ciphertext ‖ tag (16)

The app's name is associated data, so a sealed secret opens for its own app alone. Versions of the protection key that
may unwrap open what was sealed under them.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import hmac_sm3
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import KEY_BYTES, Keyring, Operation, Purpose
from ehc.keys.sealing import NONCE_BYTES, TAG_BYTES

_GONE = "an app's secret does not open: the protection key that it was sealed under is not in the keyring"


class AppSecrets:
    """keyring: open; what is needed of it is made here."""

    def __init__(self, keyring: Keyring) -> None:
        self.take_over(keyring)

    def take_over(self, keyring: Keyring) -> None:
        """From now on with the keys of this keyring."""
        own = keyring.usable(Purpose.PROTECTION_KEY, Operation.UNWRAP)
        self._keys = {entry.version: hmac_sm3(entry.raw, b"ehc app secrets v1")[:KEY_BYTES] for entry in own}
        makers = keyring.usable(Purpose.PROTECTION_KEY, Operation.WRAP)
        self._active = makers[0].version if makers else None

    def seal(self, secret: str, name: str, nonce: bytes) -> bytes:
        """nonce: 12 random bytes. Raises KeyUnavailable."""
        if self._active is None or self._active not in self._keys:
            raise KeyUnavailable("no active protection key: `ehc keys init` or `ehc keys import` makes one")
        cipher = Cipher(algorithms.SM4(self._keys[self._active]), modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(name.encode())
        return bytes([self._active]) + nonce + cipher.update(secret.encode()) + cipher.finalize() + cipher.tag

    def unseal(self, sealed: bytes, name: str) -> str:
        """Raises KeyUnavailable."""
        version, nonce, rest = sealed[0], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if version not in self._keys:
            raise KeyUnavailable(_GONE)
        mode = modes.GCM(nonce, rest[-TAG_BYTES:])
        cipher = Cipher(algorithms.SM4(self._keys[version]), mode).decryptor()
        cipher.authenticate_additional_data(name.encode())
        try:
            return (cipher.update(rest[:-TAG_BYTES]) + cipher.finalize()).decode()
        except InvalidTag:
            raise KeyUnavailable(_GONE) from None
