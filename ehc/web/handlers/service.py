"""The service itself: its clock, its health."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.metrics import MEDIA_TYPE, text
from ehc.web.render.base import time
from ehc.web.reply import Reply
from ehc.web.wire import service as wire


async def tell_time(call: Call) -> Reply:
    now = call.services.clock()
    return reply.json(wire.Time(time(now), now))


async def health(_call: Call) -> Reply:
    """This process answers."""
    return reply.json(wire.Status("ok"))


async def ready(call: Call) -> Reply:
    """What it needs answers too."""
    whole = await run_in_threadpool(call.services.ready)
    return reply.json(wire.Status("ready" if whole else "degraded"))


async def metrics(call: Call) -> Reply:
    found = await run_in_threadpool(lambda: text(call.observed.all()))
    return Reply(found, media_type=MEDIA_TYPE)
