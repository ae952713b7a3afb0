"""What was seen of terminals, told to the store once a minute and at the end: no request waits for it."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from ehc.errors import Unavailable
from ehc.wiring.services import Services

WRITE_EVERY = 60.0


def write(services: Services) -> None:
    """What a store that does not answer could not be told is forgotten: the terminal will be seen again."""
    try:
        services.places.seen(services.sightings.take())
    except Unavailable:
        return


async def keep(services: Services) -> None:
    """Write every minute. Runs until cancelled."""
    while True:
        await asyncio.sleep(WRITE_EVERY)
        await run_in_threadpool(write, services)
