"""ports.ClaimStore, over every implementation."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from store_factories import FACTORIES, in_process

from ehc.wiring import Stores

UNTIL, NOW = 1_000_360, 1_000_000


@pytest.fixture(params=sorted(FACTORIES))
def factory(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stores(factory: str, tmp_path: Path) -> Iterator[Stores]:
    opened = FACTORIES[factory](tmp_path)
    yield opened
    opened.close()


def test_the_first_claim_wins_and_the_second_loses(stores: Stores) -> None:
    assert stores.claims.claim(b"k", UNTIL, NOW)
    assert not stores.claims.claim(b"k", UNTIL, NOW)
    assert not stores.claims.claim(b"k", UNTIL + 100, NOW + 1)


def test_claims_of_other_keys_do_not_matter(stores: Stores) -> None:
    assert stores.claims.claim(b"k", UNTIL, NOW)
    assert stores.claims.claim(b"K", UNTIL, NOW)
    assert stores.claims.claim(b"k\0", UNTIL, NOW)


def test_a_claim_holds_through_its_last_second_and_is_free_after_it(stores: Stores) -> None:
    assert stores.claims.claim(b"k", UNTIL, NOW)
    assert not stores.claims.claim(b"k", UNTIL, UNTIL)
    assert stores.claims.claim(b"k", UNTIL + 300, UNTIL + 1)
    assert not stores.claims.claim(b"k", UNTIL + 300, UNTIL + 2)


def test_a_lost_claim_does_not_shorten_the_one_that_won(stores: Stores) -> None:
    assert stores.claims.claim(b"k", UNTIL, NOW)
    assert not stores.claims.claim(b"k", NOW, NOW)
    assert not stores.claims.claim(b"k", UNTIL, UNTIL)


def test_a_claim_is_there_after_opening_again(factory: str, tmp_path: Path) -> None:
    for expected in (True, False):
        stores = FACTORIES[factory](tmp_path)
        assert stores.claims.claim(b"k", UNTIL, NOW) is expected
        stores.close()


def test_of_many_threads_exactly_one_wins_each_key(stores: Stores) -> None:
    threads, keys = 8, 12
    start = threading.Barrier(threads)

    def claim_all(_: int) -> list[bool]:
        start.wait()
        return [stores.claims.claim(b"%d" % key, UNTIL, NOW) for key in range(keys)]

    with ThreadPoolExecutor(threads) as pool:
        wins = list(pool.map(claim_all, range(threads)))
    assert [sum(column) for column in zip(*wins, strict=True)] == [1] * keys


def test_of_many_threads_exactly_one_takes_over_an_expired_claim(stores: Stores) -> None:
    assert stores.claims.claim(b"k", UNTIL, NOW)
    start = threading.Barrier(8)

    def take_over(_: int) -> bool:
        start.wait()
        return stores.claims.claim(b"k", UNTIL + 1000, UNTIL + 1)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take_over, range(8))) == 1


def _claim_all(stores: Stores, start: threading.Barrier, keys: int) -> list[bool]:
    start.wait()
    return [stores.claims.claim(b"%d" % key, UNTIL, NOW) for key in range(keys)]


def test_of_many_processes_exactly_one_wins_each_key(factory: str, tmp_path: Path) -> None:
    processes, keys = 3, 40
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(processes) as pool:
        start = manager.Barrier(processes)
        jobs = [
            pool.apply_async(in_process, (_claim_all, factory, str(tmp_path), start, keys)) for _ in range(processes)
        ]
        wins = [job.get() for job in jobs]
    assert [sum(column) for column in zip(*wins, strict=True)] == [1] * keys


def _claim_and_die(stores: Stores) -> None:
    if stores.claims.claim(b"k", UNTIL, NOW):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_claim_survives_a_kill_9_of_its_claimant(factory: str, tmp_path: Path) -> None:
    claimant = multiprocessing.get_context("spawn").Process(
        target=in_process, args=(_claim_and_die, factory, str(tmp_path))
    )
    claimant.start()
    claimant.join()
    assert claimant.exitcode == -signal.SIGKILL  # so it had won
    stores = FACTORIES[factory](tmp_path)
    assert not stores.claims.claim(b"k", UNTIL, NOW)
    stores.close()
