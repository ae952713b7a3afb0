"""Physical cards: found, registered, changed; exchanged with other registries."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.cards.accounts import Act
from ehc.errors import InputError, NotFound
from ehc.model import Card
from ehc.registry import checking
from ehc.registry.card import CardEventKind, KeptCard, Ruling, Taking, digest_of
from ehc.registry.registry import Record, columns
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.handlers.sdks import require_authority
from ehc.web.render import registry as render
from ehc.web.reply import Reply
from ehc.web.wire import registry as wire

SYNCHRONISATION = "registry synchronisation"
CARDS_A_REQUEST = 128
"""A page of cards is charged to its caller's rate as the work that it is."""


async def find_physical_card(call: Call, body: wire.PhysicalCardQuery) -> Reply:
    return reply.json(await run_in_threadpool(_find, call, body))


def _find(call: Call, body: wire.PhysicalCardQuery) -> wire.PhysicalCard:
    """Here; else, where the settings name one, in the national registry: the answer says so."""
    services = call.services
    try:
        kept = services.registry.card(body.number)
    except NotFound:
        if services.national is None or body.local:
            raise
        return render.national_card(services.national.find(checking.checked("number", body.number)))
    return render.physical_card(kept, _electronic(call, kept), services.registry.code)


def _electronic(call: Call, kept: KeptCard) -> Card | None:
    return call.services.account_store.card_of_account(kept.account) if kept.account else None


async def list_physical_cards(call: Call, card_id: str) -> Reply:
    def work() -> wire.PhysicalCards:
        card, registry = call.services.accounts.card(card_id), call.services.registry
        return wire.PhysicalCards(
            [render.physical_card(one, card, registry.code) for one in registry.cards_of(card.account)]
        )

    return reply.json(await run_in_threadpool(work))


async def show_physical_card_history(call: Call, body: wire.PhysicalCardQuery) -> Reply:
    return reply.json(render.history(await run_in_threadpool(call.services.registry.history, body.number)))


async def register_physical_card(call: Call, body: wire.NewPhysicalCard) -> Reply:
    require_authority(call)
    services = call.services
    given = Record(
        body.number,
        body.chip,
        body.issuer,
        body.id_type,
        body.id_number,
        body.name,
        body.state,
        1,
        services.registry.code,
    )

    def work() -> wire.EnteredPhysicalCard:
        made = services.registry.register(given, services.clock(), call.caller.name)
        return render.entered(made, _electronic(call, made.kept), services.registry.code)

    entered = await run_in_threadpool(work)
    return reply.json(entered, 201 if entered.created else 200)


async def change_physical_card(call: Call, body: wire.PhysicalCardChange) -> Reply:
    require_authority(call)
    services, act = call.services, Act(call.services.clock(), call.caller.name, body.reason)

    def work() -> wire.EnteredPhysicalCard:
        made = services.registry.change_state(body.number, body.state, act)
        return render.entered(made, _electronic(call, made.kept), services.registry.code)

    return reply.json(await run_in_threadpool(work))


async def _exchange(call: Call, cards: int) -> None:
    """Cards leave in full: only to an authority's caller, and the look is recorded first."""
    require_authority(call)
    call.purpose, call.cost = SYNCHRONISATION, 1 + cards // CARDS_A_REQUEST
    await call.look(None)


async def feed_physical_cards(call: Call, query: wire.FeedQuery) -> Reply:
    await _exchange(call, query.limit)
    registry, after = call.services.registry, query.after or "0"
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise InputError("after: the `next` of an earlier page wanted")
    rows = await run_in_threadpool(registry.store.feed, int(after), query.limit)
    following = str(rows[-1][0]) if rows else query.after
    cards = render.records([card for _, card in rows])
    return reply.json(wire.RegistryFeed(registry.code, cards, following, len(rows) == query.limit))


async def push_physical_cards(call: Call, body: wire.PushedCards) -> Reply:
    require_authority(call)
    call.cost = 1 + len(body.cards) // CARDS_A_REQUEST
    return reply.json(await run_in_threadpool(_push, call, body))


def _push(call: Call, body: wire.PushedCards) -> wire.PushedRulings:
    services = call.services
    records = [Record(*(getattr(one, field) for field in Record._fields)) for one in body.cards]
    taking = Taking(services.clock(), CardEventKind.RECEIVED, call.caller.name, f"registry {body.registry}")
    linked, rulings = services.registry.intake.take(*columns(records), taking)
    found = dict(zip(linked.prepared.rows.tolist(), rulings, strict=True))
    refused = [wire.RefusedRecord(*one) for one in linked.prepared.refused]
    return wire.PushedRulings(
        services.registry.code, [found.get(row, Ruling.REFUSED) for row in range(len(records))], refused
    )


async def digest_physical_cards(call: Call, query: wire.DigestQuery) -> Reply:
    require_authority(call)
    call.cost = 1 + query.limit // CARDS_A_REQUEST
    registry = call.services.registry
    cards = await run_in_threadpool(registry.store.within, query.after, "", query.limit)
    found = await run_in_threadpool(digest_of, cards)
    return reply.json(wire.CardsDigest(registry.code, found.cards, found.last, found.digest.hex().upper()))


async def list_physical_card_range(call: Call, query: wire.RangeQuery) -> Reply:
    await _exchange(call, query.limit)
    registry = call.services.registry
    cards = await run_in_threadpool(registry.store.within, query.after, query.until, query.limit)
    return reply.json(wire.CardRange(registry.code, render.records(cards)))
