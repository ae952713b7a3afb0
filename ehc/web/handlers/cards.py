"""Cards and their accounts."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.errors import NotFound
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import cards as render
from ehc.web.reply import Reply
from ehc.web.wire import cards as wire


async def register_card(call: Call, body: wire.Registration) -> Reply:
    services = call.services
    card, created = await run_in_threadpool(
        services.registrar.register, body.id_type, body.id_number, body.name, services.clock()
    )
    return reply.json(render.registered_card(card, created), 201 if created else 200)


async def show_card(call: Call, card_id: str) -> Reply:
    card = await run_in_threadpool(call.services.cards.card, card_id.upper())
    if card is None:
        raise NotFound("no card has this card id")
    return reply.json(render.card(card))
