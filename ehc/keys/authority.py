"""The SM2 keys that sign licences, releases of SDKs and answers (sdkauth.authority.Authority): one a version of the
protection key, made from it, so that it needs no keeping of its own and ends with it.

    private = 1 + HMAC-SM3(protection key, "ehc sdk authority v1" ‖ counter), 32 bytes; the first counter whose HMAC
              lies under n - 2

Whichever version may still check signs nothing new, and what it signed is still checked.
"""

from __future__ import annotations

from collections.abc import Mapping

from ehc.crypto import hmac_sm3
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import Keyring, Operation, Purpose

_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123  # n of GB/T 32918.5


class KeyringAuthority:
    """keyring: open; what is needed of it is made here."""

    def __init__(self, keyring: Keyring) -> None:
        self.take_over(keyring)

    def take_over(self, keyring: Keyring) -> None:
        """From now on with the keys of this keyring."""
        able = keyring.usable(Purpose.PROTECTION_KEY, Operation.UNWRAP)
        self._keys = {entry.version: PrivateKey(_private(entry.raw)) for entry in able}
        self._public = {version: bytes(key.public_key) for version, key in self._keys.items()}
        makers = [entry.version for entry in keyring.usable(Purpose.PROTECTION_KEY, Operation.WRAP)]
        self._active = next((version for version in makers if version in self._keys), None)

    @property
    def public_keys(self) -> Mapping[int, bytes]:
        return self._public

    @property
    def version(self) -> int:
        """Of the key that signs now. Raises KeyUnavailable."""
        if self._active is None:
            raise KeyUnavailable("no active protection key: `ehc keys init` or `ehc keys import` makes one")
        return self._active

    def sign(self, message: bytes) -> tuple[int, bytes]:
        """Raises KeyUnavailable."""
        return self.version, self._keys[self.version].sign(message)


def _private(raw: bytes | bytearray) -> bytes:
    for counter in range(256):
        candidate = int.from_bytes(hmac_sm3(raw, b"ehc sdk authority v1" + bytes([counter])))
        if candidate < _ORDER - 2:
            return (candidate + 1).to_bytes(32)
    raise AssertionError("each candidate fails with a chance of one in four billion")
