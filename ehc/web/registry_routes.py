"""Endpoints of the registry of physical cards, for callers and for other registries (ehc/registry/README.md)."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import registry as handlers
from ehc.web.wire import registry as wire

PUSH_LIMIT = 2 << 20
ASKED = (422, 500, 503)
"""Problems of an endpoint with a query."""

_CARDS = "/v1/physical-cards"

TABLE = (
    Endpoint(
        method="POST",
        path=f"{_CARDS}/find",
        handler=handlers.find_physical_card,
        scope=Scope.REGISTRY_READ,
        summary="A physical card by its number, masked; one that is not here from the national registry, marked",
        answers={200: wire.PhysicalCard},
        body=wire.PhysicalCardQuery,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="POST",
        path=f"{_CARDS}/history",
        handler=handlers.show_physical_card_history,
        scope=Scope.REGISTRY_READ,
        summary="What happened to a physical card",
        answers={200: wire.PhysicalCardHistory},
        body=wire.PhysicalCardQuery,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="GET",
        path="/v1/cards/{card_id}/physical-cards",
        handler=handlers.list_physical_cards,
        scope=Scope.REGISTRY_READ,
        summary="Physical cards of the holder of an electronic card",
        answers={200: wire.PhysicalCards},
        problems=(404, 500, 503),
    ),
    Endpoint(
        method="POST",
        path=_CARDS,
        handler=handlers.register_physical_card,
        scope=Scope.REGISTRY_WRITE,
        summary="A new physical card; who holds it gets an electronic one. The same again is no error",
        answers={201: wire.EnteredPhysicalCard, 200: wire.EnteredPhysicalCard},
        body=wire.NewPhysicalCard,
        problems=(*BODY, 409),
    ),
    Endpoint(
        method="POST",
        path=f"{_CARDS}/state",
        handler=handlers.change_physical_card,
        scope=Scope.REGISTRY_WRITE,
        summary="Handed out (发放), lost (挂失), found again (解挂), cancelled for ever (注销)",
        answers={200: wire.EnteredPhysicalCard},
        body=wire.PhysicalCardChange,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="GET",
        path=f"{_CARDS}/feed",
        handler=handlers.feed_physical_cards,
        scope=Scope.REGISTRY_SYNC,
        summary="For another registry: cards in the order of their changes, in full; the look is recorded",
        answers={200: wire.RegistryFeed},
        query=wire.FeedQuery,
        problems=ASKED,
    ),
    Endpoint(
        method="POST",
        path=f"{_CARDS}/feed",
        handler=handlers.push_physical_cards,
        scope=Scope.REGISTRY_SYNC,
        summary="Another registry's versions; which of two stands is the same on both sides",
        answers={200: wire.PushedRulings},
        body=wire.PushedCards,
        body_limit=PUSH_LIMIT,
        problems=BODY,
    ),
    Endpoint(
        method="GET",
        path=f"{_CARDS}/digest",
        handler=handlers.digest_physical_cards,
        scope=Scope.REGISTRY_SYNC,
        summary="Whether two registries say the same: the digest of so many cards behind a number",
        answers={200: wire.CardsDigest},
        query=wire.DigestQuery,
        problems=ASKED,
    ),
    Endpoint(
        method="GET",
        path=f"{_CARDS}/range",
        handler=handlers.list_physical_card_range,
        scope=Scope.REGISTRY_SYNC,
        summary="The cards of a range whose digests differ, in full; the look is recorded",
        answers={200: wire.CardRange},
        query=wire.RangeQuery,
        problems=ASKED,
    ),
)
