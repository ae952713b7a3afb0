"""Who signs licences, releases and answers in this system's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ehc.ports import KeyService


class Authority(Protocol):
    @property
    def version(self) -> int:
        """Of the key that signs now. Raises KeyUnavailable."""
        ...

    def sign(self, message: bytes) -> tuple[int, bytes]:
        """Version of the key, SM2 signature (64 bytes, r ‖ s). Raises KeyUnavailable."""
        ...

    @property
    def public_keys(self) -> Mapping[int, bytes]:
        """Version -> x ‖ y, of every key that has signed something which may still be checked."""
        ...


MACHINE = 1_000_000
"""Before the versions of the machine's own keys, so that no number means two keys."""


class MachineAuthority:
    """Signs in the crypto machine (`KeyService.sign`), whose private keys nobody else has. former: who signed until
    then, and signs no more: what it signed is still checked."""

    def __init__(self, keys: KeyService, former: Authority) -> None:
        self._keys, self._former = keys, former
        self._version = 0

    @property
    def version(self) -> int:
        """As of the last signature: the machine says by which key it signs when it does."""
        return self._version or self.sign(b"")[0]

    def sign(self, message: bytes) -> tuple[int, bytes]:
        made = self._keys.sign(message)
        self._version = MACHINE + made.version
        return self._version, made.value

    @property
    def public_keys(self) -> Mapping[int, bytes]:
        own = {MACHINE + version: key for version, key in self._keys.verification_keys().items()}
        return {**self._former.public_keys, **own}
