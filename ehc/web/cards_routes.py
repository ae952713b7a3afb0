"""Endpoints of cards and their accounts."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import cards as handlers
from ehc.web.wire import cards as wire

TABLE = (
    Endpoint(
        method="POST",
        path="/v1/cards",
        handler=handlers.register_card,
        scope=Scope.REGISTER,
        summary="The card of a person: a new one, or the one that they have; a cancelled one is restored",
        answers={201: wire.RegisteredCard, 200: wire.RegisteredCard},
        body=wire.Registration,
        problems=(*BODY, 409),
    ),
    Endpoint(
        method="GET",
        path="/v1/cards/{card_id}",
        handler=handlers.show_card,
        scope=Scope.ACCOUNTS_READ,
        summary="A card, masked",
        answers={200: wire.Card},
        problems=(404, 500, 503),
    ),
)
