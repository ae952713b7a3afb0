"""ports.SerialBlocks, over every implementation."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
from sqlalchemy import Engine

from ehc.errors import Conflict
from ehc.store.backup import backup, restore
from ehc.store.database import migrate, open_engine
from ehc.store.serials import SqlSerialBlocks

NOW = 1_767_225_600


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def make_empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    if request.param == "postgres":
        return servers.new_postgres
    return lambda: f"sqlite:///{tmp_path_factory.mktemp('serials') / 'ehc.db'}"


@pytest.fixture
def engine(make_empty: Callable[[], str]) -> Iterator[Engine]:
    engine = open_engine(make_empty())
    migrate(engine)
    yield engine
    engine.dispose()


def numbers(blocks: list[int], count: int) -> set[int]:
    return {first + i for first in blocks for i in range(count)}


def test_no_number_is_in_two_blocks_however_many_take_at_once(engine: Engine) -> None:
    takers = [SqlSerialBlocks(engine, 440100, 1, Clock()) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        blocks = list(threads.map(lambda i: takers[i % 4].take(10), range(80)))
    assert len(numbers(blocks, 10)) == 800


def test_every_issuer_and_node_has_its_own(engine: Engine) -> None:
    taken = [SqlSerialBlocks(engine, issuer, node, Clock()).take(10) for issuer, node in ((1, 0), (1, 1), (2, 0))]
    assert len(set(taken)) == 1


def test_a_clock_that_is_set_back_gives_no_number_again(engine: Engine) -> None:
    clock = Clock()
    serials = SqlSerialBlocks(engine, 0, 0, clock)
    blocks = [serials.take(10)]
    for now in (NOW + 10**6, NOW, 0, NOW + 1):
        clock.now = now
        blocks.append(serials.take(10))
    assert blocks == sorted(blocks)
    assert len(numbers(blocks, 10)) == 50


def test_a_database_restored_from_an_older_copy_gives_no_number_again(
    engine: Engine, make_empty: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock, copy = Clock(), tmp_path_factory.mktemp("copy") / "copy"
    serials = SqlSerialBlocks(engine, 0, 0, clock)
    blocks = [serials.take(4096)]
    backup(engine, copy)
    blocks += [serials.take(4096) for _ in range(15)]
    restored = open_engine(make_empty())
    restore(restored, copy)
    clock.now += 1  # 65,536 numbers were taken in this second
    blocks += [SqlSerialBlocks(restored, 0, 0, clock).take(4096) for _ in range(3)]
    assert len(numbers(blocks, 4096)) == 19 * 4096
    restored.dispose()


def test_numbers_that_are_used_up_are_an_error_that_says_what_to_do(engine: Engine) -> None:
    clock = Clock()
    clock.now = 1_577_836_800 + 2**32 - 1
    serials = SqlSerialBlocks(engine, 0, 0, clock)
    assert serials.take(65_535) == 2**48 - 65_536
    with pytest.raises(Conflict, match="set another node"):
        serials.take(65_536)
