"""The index follows the cards (setting `index_cards`): a chore of every worker, of which one at a time has the turn."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from ehc.errors import Unavailable
from ehc.index.following import Follower
from ehc.wiring.services import Services

EVERY = 1.0
"""Seconds between two looks at what was registered."""
NEXT = 0.05
"""The same while there is more: others write meanwhile."""


def step(follower: Follower, now: int) -> int:
    """What a store that does not answer could not tell is asked again."""
    try:
        return follower.step(now)
    except Unavailable:
        return 0


async def keep(services: Services) -> None:
    """Runs until cancelled; ends at once where the setting says so."""
    follower = services.follower
    while follower is not None:
        taken = await run_in_threadpool(step, follower, services.clock())
        await asyncio.sleep(NEXT if taken else EVERY)
