"""An app of the field's interfaces: a caller that signs what it sends instead of showing a key.

To check a signature its secret must be known, so it is kept, sealed under a key of the keyring, and not as a digest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ehc.access.caller import Caller
from ehc.errors import InputError, KeyUnavailable

SECRET_BYTES = 16
_SECRET = re.compile(r"[0-9A-Fa-f]{32}")


@dataclass(frozen=True, slots=True)
class App:
    """Its caller's name is the appId."""

    caller: Caller
    secret: str | None = field(repr=False)  # as it is signed with; None: the key that it was sealed under is gone


@dataclass(frozen=True, slots=True)
class SealedApp:
    caller: Caller
    sealed: bytes


class AppStore(Protocol):
    """Both raise Unavailable."""

    def add_app(self, caller: Caller, sealed: bytes, now: int) -> None:
        """Raises Conflict as CallerStore.add does. CallerStore.revoke ends it."""
        ...

    def apps(self) -> Sequence[SealedApp]:
        """All that are not revoked."""
        ...


class Sealing(Protocol):
    def seal(self, secret: str, name: str, nonce: bytes) -> bytes:
        """nonce: 12 random bytes. Raises KeyUnavailable."""
        ...

    def unseal(self, sealed: bytes, name: str) -> str:
        """Raises KeyUnavailable."""
        ...


class Apps:
    """The apps of a service."""

    def __init__(self, store: AppStore, sealing: Sealing) -> None:
        self._store, self._sealing = store, sealing

    def add(self, caller: Caller, secret: str, nonce: bytes, now: int) -> None:
        """secret: 32 hex digits, in the case that the app signs with. nonce: 12 random bytes. Raises InputError,
        Conflict, KeyUnavailable."""
        if not _SECRET.fullmatch(secret):
            raise InputError("the secret of an app has 32 hex digits: they are its SM4 key too")
        self._store.add_app(caller, self._sealing.seal(secret, caller.name, nonce), now)

    def all(self) -> list[App]:
        return [App(one.caller, self._secret(one)) for one in self._store.apps()]

    def _secret(self, app: SealedApp) -> str | None:
        try:
            return self._sealing.unseal(app.sealed, app.caller.name)
        except KeyUnavailable:
            return None
