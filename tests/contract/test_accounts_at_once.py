"""cards.account.AccountStore used by many at once, and by processes that are killed; over every implementation."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from invented_cards import columns, new_card, person
from store_factories import FACTORIES, in_process

from ehc.cards.account import AccountStore, Change, EventKind, Outcome, Registered
from ehc.model import AccountState
from ehc.wiring.stores import Stores

NOW = 1_700_000_000
ANY = frozenset(AccountState)


@pytest.fixture
def store(stores: Stores) -> AccountStore:
    return stores.accounts


def test_of_many_threads_registering_one_person_exactly_one_creates(store: AccountStore) -> None:
    start = threading.Barrier(8)

    def register(_: int) -> Registered:
        start.wait()
        return store.register(new_card(0), NOW)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(register, range(8)))
    assert sorted(one.outcome.value for one in found) == ["created"] + ["existing"] * 7
    assert len({one.account for one in found}) == 1


def test_changes_of_one_account_at_once_are_all_in_its_history(store: AccountStore) -> None:
    account = store.register(new_card(0), NOW).account
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: store.apply(account, Change(EventKind.MODIFIED, ANY), NOW + i), range(12)))
    assert [event.kind for event in store.history(account)] == [EventKind.REGISTERED] + [EventKind.MODIFIED] * 12


def _register_overlapping(stores: Stores, start: threading.Barrier, first: int) -> list[int]:
    start.wait()
    accounts = stores.accounts
    found = [accounts.register_columns(columns(range(begin, begin + 700)), NOW).account for begin in (first, 0)]
    single = [accounts.register(new_card(i), NOW).account for i in range(690, 710)]
    return [*found[1].tolist(), *single]


def test_batches_of_many_processes_that_overlap_give_each_person_one_account(factory: str, tmp_path: Path) -> None:
    processes = 3
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(processes) as pool:
        start = manager.Barrier(processes)
        jobs = [
            pool.apply_async(in_process, (_register_overlapping, factory, str(tmp_path), start, 350 * i))
            for i in range(processes)
        ]
        found = [job.get() for job in jobs]
    assert found[0] == found[1] == found[2]
    stores = FACTORIES[factory](tmp_path)
    everyone = stores.accounts.register_columns(columns(range(1_400)), NOW + 1)
    assert {one.outcome for one in everyone.others.values()} == {Outcome.EXISTING}
    assert len(set(everyone.account.tolist())) == len(everyone.others) == 1_400
    stores.close()


def _register_and_die(stores: Stores) -> None:
    stores.accounts.register_columns(columns(range(600)), NOW)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_batch_survives_a_kill_9_of_the_process_that_registered_it(factory: str, tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=in_process, args=(_register_and_die, factory, str(tmp_path))
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    stores = FACTORIES[factory](tmp_path)
    for i in (0, 599):
        assert stores.accounts.card(new_card(i).derived.card_id) is not None
        assert stores.accounts.card_of_document(*person(i)[:2]) is not None
    stores.close()
