"""The stores that a contract is tested over, each with a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_factories import FACTORIES, prepare

from ehc.wiring.stores import Stores


@pytest.fixture(params=sorted(FACTORIES))
def factory(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    prepare(request.param, tmp_path)
    return str(request.param)


@pytest.fixture
def stores(factory: str, tmp_path: Path) -> Iterator[Stores]:
    opened = FACTORIES[factory](tmp_path)
    yield opened
    opened.close()
