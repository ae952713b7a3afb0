"""Many readings of cards at once: which are read together, and whose an error is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from ehc.errors import Unavailable
from ehc.model import AccountState, CardStatus
from ehc.store.card_status import Found, StatusReader

ODD = InterruptedError("odd")


def status(account: int) -> CardStatus:
    return CardStatus(account, f"{account:064X}", AccountState.NORMAL, "*")


class Store:
    """Waits until it is let go, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str | int]] = []
        self.goes = threading.Event()

    def read(self, cards: Sequence[str | int]) -> list[Found]:
        self.asked.append([*cards])
        assert self.goes.wait(10)
        if "gone" in cards:
            raise Unavailable("gone")
        return [ODD if card == "odd" else status(card) if isinstance(card, int) else None for card in cards]


async def begun(store: Store, *waits: asyncio.Task[CardStatus | None]) -> None:
    while not store.asked:
        await asyncio.sleep(0.001)
    assert not any(wait.done() for wait in waits)


def test_what_is_asked_for_during_a_reading_is_read_together_after_it() -> None:
    async def ask() -> list[CardStatus | None]:
        first = asyncio.create_task(reader.status(1))
        await begun(store, first)
        others = [asyncio.create_task(reader.status(card)) for card in (2, 3, 2, 1, "none")]
        await asyncio.sleep(0)
        store.goes.set()
        return await asyncio.gather(first, *others)

    store = Store()
    reader = StatusReader(store.read)
    assert asyncio.run(ask()) == [*map(status, (1, 2, 3, 2, 1)), None]
    assert store.asked == [[1], [2, 3, 1, "none"]]  # 1 again: nobody is told what was read before they asked


def test_an_error_is_of_the_card_that_it_was_raised_for_and_one_of_the_store_of_all() -> None:
    async def ask(*cards: str | int) -> list[CardStatus | BaseException | None]:
        return await asyncio.gather(*map(reader.status, cards), return_exceptions=True)

    store = Store()
    store.goes.set()
    reader = StatusReader(store.read)
    assert asyncio.run(ask(1, "odd", 2)) == [status(1), ODD, status(2)]
    assert [type(one) for one in asyncio.run(ask(1, "gone"))] == [Unavailable] * 2
    assert asyncio.run(ask(1)) == [status(1)]


def test_whoever_goes_away_takes_nothing_from_others() -> None:
    async def ask() -> CardStatus | None:
        leaves, stays = (asyncio.create_task(reader.status(7)) for _ in range(2))
        await begun(store, leaves, stays)
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
        store.goes.set()
        return await stays

    store = Store()
    reader = StatusReader(store.read)
    assert asyncio.run(ask()) == status(7)
