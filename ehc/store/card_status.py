"""What either hot state reads of an account store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ehc.model import CardStatus
from ehc.ports import AccountLookup

Found = CardStatus | None | Exception

_NEVER = 2**63 - 1


def read_statuses(cards: AccountLookup, asked: Sequence[str | int]) -> list[Found]:
    """Of card ids and accounts; accounts in one question. What one of them raises is its own."""
    accounts = [card for card in asked if isinstance(card, int)]
    by_account = cards.cards_of_accounts(accounts) if accounts else {}
    found: list[Found] = []
    for one in asked:
        try:
            card = by_account.get(one) if isinstance(one, int) else cards.card(one)
            found.append(None if card is None else card.status())
        except Exception as error:
            found.append(error)
    return found


class StatusReader:
    """Reads in a thread what the database alone knows. What is asked for during one reading is read together next:
    a thread and a question for each card cost eight times as much. Nobody is told what was read before they asked.

    read: as read_statuses."""

    def __init__(self, read: Callable[[Sequence[str | int]], Sequence[Found]]) -> None:
        self._read = read
        self._asked: dict[str | int, asyncio.Future[CardStatus | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def status(self, card: str | int) -> CardStatus | None:
        loop = asyncio.get_running_loop()
        if card not in self._asked:
            self._asked[card] = loop.create_future()
            if self._reading is None or self._reading.done():
                self._reading = loop.create_task(self._read_all())
        return await asyncio.shield(self._asked[card])  # others may wait for the same

    async def _read_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await asyncio.to_thread(self._read, [*asked])
            except asyncio.CancelledError:
                for future in (*asked.values(), *self._asked.values()):
                    future.cancel()
                self._asked = {}
                raise
            except Exception as error:
                found = [error] * len(asked)
            for future, one in zip(asked.values(), found, strict=True):
                if future.done():
                    continue
                if isinstance(one, Exception):
                    future.set_exception(one)
                    future.exception()  # whoever asked may be gone
                else:
                    future.set_result(one)


def may_be_kept(card: str | int, status: CardStatus) -> bool:
    """Not under an alias: when the account changes, nobody tells what is kept under its former card ids."""
    return card in (status.card_id, status.account) or card == status.other_id


def usable_until(status: CardStatus) -> int:
    """Its last second; -1 for one that is not usable."""
    if not status.usable(0):
        return -1
    return _NEVER if status.deadline is None else status.deadline
