"""Cards: registered and found, masked or plain."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.cards.account import Outcome, Registered
from ehc.codes.owner import owner_of
from ehc.errors import InputError, NotFound
from ehc.model import Card, Identity
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import cards as render
from ehc.web.reply import Reply
from ehc.web.wire import cards as wire


async def register_card(call: Call, body: wire.Registration) -> Reply:
    person, details = Identity(body.id_type, body.id_number, body.name), render.given(body.details)
    register = call.services.registrar.register
    return _registered(await run_in_threadpool(register, person, call.services.clock(), call.caller.name, details))


async def register_temporary_card(call: Call, body: wire.TemporaryRegistration) -> Reply:
    registrar, now, by = call.services.registrar, call.services.clock(), call.caller.name
    details = render.given(body.details)
    return _registered(await run_in_threadpool(registrar.register_temporary, body.name, body.days, now, by, details))


async def register_child(call: Call, body: wire.ChildRegistration) -> Reply:
    services, now, by = call.services, call.services.clock(), call.caller.name

    def register() -> Registered:
        guardian = services.accounts.card_of_document(body.guardian.id_type, body.guardian.id_number)
        child = (body.name, body.birth_date, body.birth_order)
        return services.registrar.register_child(guardian, *child, now, by, render.given(body.details))

    return _registered(await run_in_threadpool(register))


def _registered(found: Registered) -> Reply:
    created = found.outcome is Outcome.CREATED
    assert found.card is not None  # noqa: S101  a registrar raises Conflict where there is none to show
    return reply.json(render.registered_card(found.card, created), 201 if created else 200)


async def show_card(call: Call, card_id: str) -> Reply:
    return reply.json(await run_in_threadpool(_masked, call, card_id))


def _masked(call: Call, card_id: str) -> wire.Card:
    accounts = call.services.accounts
    card = accounts.card(card_id)
    return render.card(card, accounts.merged_into(card))


async def find_card(call: Call, body: wire.CardQuery) -> Reply:
    card = await _find(call, body)
    return reply.json(render.card(card, await run_in_threadpool(call.services.accounts.merged_into, card)))


async def look_at_card(call: Call, body: wire.CardQuery) -> Reply:
    try:
        card = await _find(call, body)
    except NotFound:
        await call.look(None)
        raise
    await call.look(card.account)
    return reply.json(render.plain_card(card, await run_in_threadpool(call.services.accounts.details, card)))


async def _find(call: Call, body: wire.CardQuery) -> Card:
    """By the one thing that is given. Raises InputError, NotFound."""
    accounts = call.services.accounts
    if sum(given is not None for given in (body.card_id, body.document, body.mindex, body.code)) != 1:
        raise InputError("give one of card_id, document, mindex and code")
    if body.card_id is not None:
        return await run_in_threadpool(accounts.card, body.card_id)
    if body.document is not None:
        document = body.document
        return await run_in_threadpool(accounts.card_of_document, document.id_type, document.id_number)
    if body.mindex is not None:
        return await run_in_threadpool(accounts.card_of_mindex, body.mindex)
    return await _of_code(call, body.code or "", body.scene)


async def _of_code(call: Call, code: str, scene: str | None) -> Card:
    """As a verification in that scene would find it; nothing is claimed."""
    services = call.services
    if scene is None:
        raise InputError("scene: say where the code was shown")
    found = await owner_of(services.verifier, services.hot, code, scene, services.clock())
    if found.verdict.step in (1, 2):
        raise InputError(f"code: {found.verdict.detail or 'no health card code'}")
    if not found.verdict.accepted or found.card is None:
        raise NotFound("this code finds no card: it is not valid now, or not in this scene")
    return await run_in_threadpool(services.accounts.card_of_account, found.card.account)
