"""Cards of an account store as who issues and checks codes sees them, over every implementation."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from plain_cards import Cards
from store_factories import FACTORIES, in_process

from ehc.errors import Conflict, NotFound
from ehc.model import AccountState, Card, Identity
from ehc.wiring.stores import Stores

PERSON = Identity("01", "11010020171225006X", "电子健康卡")
OTHER = Identity("03", "E00000000", "TEST PERSON")
MINDEX, CARD_ID = bytes(range(32)), "98FF" * 16
NOW = 1_700_000_000


def register(stores: Stores, now: int = NOW) -> tuple[Card, bool]:
    return Cards(stores.accounts).register(PERSON, MINDEX, CARD_ID, 3, now)


def test_a_new_card_holds_what_was_registered(stores: Stores) -> None:
    card, new = register(stores)
    assert new
    assert card == Card(card.account, PERSON, MINDEX, CARD_ID, 3, AccountState.NORMAL, NOW)
    assert Cards(stores.accounts).card(CARD_ID) == card
    assert Cards(stores.accounts).card_of_mindex(MINDEX) == card


def test_registering_again_returns_the_card_unchanged(stores: Stores) -> None:
    first, _ = register(stores)
    again, new = Cards(stores.accounts).register(PERSON, MINDEX, "AB" * 32, 4, NOW + 5)
    assert (again, new) == (first, False)


def test_a_cancelled_card_is_restored(stores: Stores) -> None:
    first, _ = register(stores)
    Cards(stores.accounts).set_state(CARD_ID, AccountState.CANCELLED, NOW + 1)
    assert register(stores, NOW + 2) == (first, False)
    assert Cards(stores.accounts).card(CARD_ID) == first


@pytest.mark.parametrize("state", [AccountState.PENDING, AccountState.REJECTED, AccountState.CERTIFIED])
def test_no_other_state_is_lifted_by_registering_again(stores: Stores, state: AccountState) -> None:
    register(stores)
    Cards(stores.accounts).set_state(CARD_ID, state, NOW + 1)
    card, new = register(stores, NOW + 2)
    assert (card.state, new) == (state, False)


def test_account_numbers_differ_and_stay(stores: Stores) -> None:
    first, _ = register(stores)
    other, _ = Cards(stores.accounts).register(OTHER, b"m" * 32, "CD" * 32, 3, NOW)
    assert first.account != other.account
    assert register(stores)[0].account == first.account


def test_a_card_id_of_another_account_is_a_conflict_and_changes_nothing(stores: Stores) -> None:
    first, _ = register(stores)
    with pytest.raises(Conflict):
        Cards(stores.accounts).register(OTHER, b"m" * 32, CARD_ID, 3, NOW)
    assert Cards(stores.accounts).card(CARD_ID) == first
    assert Cards(stores.accounts).card_of_mindex(b"m" * 32) is None


def test_unknown_cards_are_none(stores: Stores) -> None:
    assert Cards(stores.accounts).card(CARD_ID) is None
    assert Cards(stores.accounts).card_of_mindex(MINDEX) is None


def test_legacy_ids_of_128_characters_fit(stores: Stores) -> None:
    card, _ = Cards(stores.accounts).register(PERSON, MINDEX, "F" * 128, 1, NOW)
    assert Cards(stores.accounts).card("F" * 128) == card


def test_set_state_returns_the_card_as_it_is_now(stores: Stores) -> None:
    register(stores)
    assert Cards(stores.accounts).set_state(CARD_ID, AccountState.PENDING, NOW + 1).state is AccountState.PENDING
    found = Cards(stores.accounts).card(CARD_ID)
    assert found is not None
    assert found.state is AccountState.PENDING


def test_set_state_of_an_unknown_card_is_not_found(stores: Stores) -> None:
    with pytest.raises(NotFound):
        Cards(stores.accounts).set_state(CARD_ID, AccountState.NORMAL, NOW)


def test_an_open_store_is_ready(stores: Stores) -> None:
    Cards(stores.accounts).ready()


def test_of_many_threads_registering_one_person_exactly_one_makes_the_card(stores: Stores) -> None:
    start = threading.Barrier(8)

    def register_now(_: int) -> tuple[Card, bool]:
        start.wait()
        return register(stores)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(register_now, range(8)))
    assert sum(new for _, new in found) == 1
    assert len({card.account for card, _ in found}) == 1


def _register_all(stores: Stores, start: threading.Barrier, people: int) -> list[tuple[int, bool]]:
    start.wait()
    found = [
        Cards(stores.accounts).register(Identity("03", f"E{i:08}", "TEST PERSON"), b"%032d" % i, f"{i:064}", 3, NOW)
        for i in range(people)
    ]
    return [(card.account, new) for card, new in found]


def test_of_many_processes_registering_one_person_exactly_one_makes_the_card(factory: str, tmp_path: Path) -> None:
    processes, people = 3, 30
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(processes) as pool:
        start = manager.Barrier(processes)
        jobs = [
            pool.apply_async(in_process, (_register_all, factory, str(tmp_path), start, people))
            for _ in range(processes)
        ]
        found = [job.get() for job in jobs]
    for person in zip(*found, strict=True):
        assert sum(new for _, new in person) == 1
        assert len({account for account, _ in person}) == 1


def _register_and_die(stores: Stores) -> None:
    if register(stores)[1]:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_card_survives_a_kill_9_of_the_process_that_made_it(factory: str, tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=in_process, args=(_register_and_die, factory, str(tmp_path))
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL  # so it had registered
    stores = FACTORIES[factory](tmp_path)
    assert Cards(stores.accounts).card(CARD_ID) is not None
    stores.close()
