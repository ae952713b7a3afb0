"""A running service with an approved app, over real connections."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sdk_apps import add_sdk_app
from services import settings_of

from ehc.cli.serve import running_service
from ehc.config import Settings


@dataclass(frozen=True)
class Running:
    url: str
    settings: Settings
    authority: dict[int, bytes]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = settings_of(tmp_path_factory.mktemp("service"), workers=2)
    public_keys = add_sdk_app(settings)
    with running_service(settings) as url:
        yield Running(url, settings, public_keys)


@pytest.fixture
def private(tmp_path: Path) -> Any:
    """private(name, text) -> a file that its owner alone can read."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write
