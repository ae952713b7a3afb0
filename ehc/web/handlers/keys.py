"""How the re-keying of the province stands; its commands are `ehc keys rotate`."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.cards.rekeying import state_of
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import keys as render
from ehc.web.reply import Reply


async def show_rekeying(call: Call) -> Reply:
    state = await run_in_threadpool(state_of, call.services.rekeying)
    return reply.json(render.rekeying(state))
