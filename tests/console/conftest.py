"""The console over a real keyring and a real SQLite file."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desks import HASH, NAMES, SAMPLE, Clock, Desk
from services import settings_of

from ehc.access.operator import Operator
from ehc.config import Settings
from ehc.web.app import create_app
from ehc.wiring.services import Services, open_services


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a keyring, a database, one operator of each role and one person; tests take copies."""
    home, clock = tmp_path_factory.mktemp("furnished"), Clock()
    services = open_services(settings_of(home), clock=clock)
    for role, name in NAMES.items():
        services.operators.add(Operator(name, role, clock.now), HASH)
    services.registrar.register(SAMPLE, clock.now, "", {"phone": "138 0013 8000"})
    services.close()
    return home


@pytest.fixture
def make_desk(furnished: Path, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """make_desk(setting=value, …) -> Desk; one a test."""
    opened: list[Services] = []

    def make(**settings: Any) -> Desk:
        clock = Clock()
        shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
        services = open_services(Settings(home=str(tmp_path), **settings), clock=clock)
        opened.append(services)
        card = services.accounts.card_of_document(SAMPLE.id_type, SAMPLE.id_number)
        return Desk(services, create_app(services), clock, card)

    yield make
    for services in opened:
        services.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
