"""Quotas of grants, exact over all workers: the store counts, in one transaction for all who wait meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread

from ehc.sdkauth.grant import Grant

_Place = tuple[int, int]  # number of the grant, of its period
MOST_KNOWN = 10_000


class Quotas:
    """Of one process. use: sdkauth.registry.AppRegistryStore.use."""

    def __init__(self, use: Callable[[int, int, int, int], int]) -> None:
        self._use, self._thread = use, CapacityLimiter(1)
        self._waiting: dict[_Place, list[asyncio.Future[bool]]] = {}
        self._serving: dict[_Place, asyncio.Task[None]] = {}
        self._spent: set[_Place] = set()  # what is used up stays so

    async def take(self, grant: Grant, now: int) -> bool:
        """One request; False when none is left. Raises Unavailable."""
        if grant.quota is None:
            return True
        place = grant.number, grant.quota.number(now)
        if place in self._spent:
            return False
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._waiting.setdefault(place, []).append(future)
        if place not in self._serving:
            self._serving[place] = loop.create_task(self._serve(place, grant.quota.requests))
        return await future

    async def _serve(self, place: _Place, quota: int) -> None:
        """Until nobody waits. A request that is given up meanwhile counts: no more are let in than may be."""
        try:
            while waiting := self._waiting.pop(place, None):
                await self._answer(place, waiting, quota)
        finally:
            del self._serving[place]

    async def _answer(self, place: _Place, waiting: list[asyncio.Future[bool]], quota: int) -> None:
        try:
            granted = await to_thread.run_sync(self._use, *place, len(waiting), quota, limiter=self._thread)
        except Exception as error:
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        if granted < len(waiting):
            self._remember(place)
        for i, future in enumerate(waiting):
            if not future.done():
                future.set_result(i < granted)

    def _remember(self, place: _Place) -> None:
        if len(self._spent) >= MOST_KNOWN:
            self._spent.clear()
        self._spent.add(place)
