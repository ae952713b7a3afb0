"""What `ehc sdk` works with: the two registries, and the keyring where something is sealed or signed."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ehc.cli.database import opened, settings_of
from ehc.cli.keys import passphrase_source
from ehc.config import Settings
from ehc.errors import KeyUnavailable
from ehc.sdkauth.act import Act
from ehc.sdkauth.authority import Authority
from ehc.sdkauth.registry import AppRegistry, SdkRegistry
from ehc.wiring.keys import open_authority


@dataclass(frozen=True, slots=True)
class Desk:
    settings: Settings
    sdks: SdkRegistry
    apps: AppRegistry
    authority: Authority

    @property
    def now(self) -> int:
        return int(time.time())

    def act(self, why: str = "") -> Act:
        """In the name of whoever is signed in to this machine."""
        name = "nobody"
        with suppress(KeyError, OSError):
            name = getpass.getuser()
        return Act(self.now, f"cli:{name}", why)


class NoKeys:
    """For what neither seals nor signs: the keyring stays shut."""

    @property
    def version(self) -> int:
        raise KeyUnavailable("the keyring was not opened")

    @property
    def public_keys(self) -> dict[int, bytes]:
        return {}

    def sign(self, message: bytes) -> tuple[int, bytes]:
        raise KeyUnavailable("the keyring was not opened")

    def seal(self, secret: str, name: str, nonce: bytes) -> bytes:
        raise KeyUnavailable("the keyring was not opened")

    def unseal(self, sealed: bytes, name: str) -> str:
        raise KeyUnavailable("the keyring was not opened")


@contextmanager
def desk(
    database: str | None, config_file: Path | None, passphrase_file: Path | None = None, *, keys: bool = False
) -> Iterator[Desk]:
    """keys: something is sealed or signed. Raises ConfigError, KeyringError, Unavailable."""
    settings = settings_of(database, config_file)
    none = NoKeys()
    sealing, authority = open_authority(settings, passphrase_source(passphrase_file)) if keys else (none, none)
    with opened(settings) as store:
        yield Desk(settings, SdkRegistry(store.sdks, authority), AppRegistry(store.sdk_apps, sealing), authority)
