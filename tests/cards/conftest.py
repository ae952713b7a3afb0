"""The rules of accounts over a real SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cards.rooms import Room, make_room

from ehc.config import Settings
from ehc.wiring.stores import Stores, open_store


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated SQLite file; migrating one for every test would take most of the time."""
    home = tmp_path_factory.mktemp("empty")
    open_store(Settings(home=str(home))).close()
    return (home / "ehc.db").read_bytes()


@pytest.fixture
def stores(tmp_path: Path, empty_home: bytes) -> Iterator[Stores]:
    (tmp_path / "ehc.db").write_bytes(empty_home)
    opened = open_store(Settings(home=str(tmp_path)))
    yield opened
    opened.close()


@pytest.fixture
def room(stores: Stores) -> Room:
    return make_room(stores)
