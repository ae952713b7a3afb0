"""What `ehc index` works with: the systems of the master index over the settings' database."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ehc.cards.accounts import Act
from ehc.cards.life import reason_of
from ehc.cli.database import opened, settings_of
from ehc.index.index import Index, index_over


@dataclass(frozen=True, slots=True)
class Desk:
    index: Index

    @property
    def now(self) -> int:
        return int(time.time())

    def act(self, reason: str) -> Act:
        """In the name of whoever is signed in to this machine. Raises InputError for a reason that says nothing."""
        name = "nobody"
        with suppress(KeyError, OSError):
            name = getpass.getuser()
        return Act(self.now, f"cli:{name}", reason_of(reason))


@contextmanager
def desk(database: str | None, config_file: Path | None) -> Iterator[Desk]:
    """Raises ConfigError, Unavailable."""
    with opened(settings_of(database, config_file)) as stores:
        yield Desk(index_over(stores.index))
