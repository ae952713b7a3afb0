"""Endpoints that register people and find their cards."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import bulk
from ehc.web.handlers import cards as handlers
from ehc.web.wire import bulk as bulk_wire
from ehc.web.wire import cards as wire

BATCH_LIMIT = 8 << 20
BULK_LIMIT = 1 << 40
"""A bulk body is never in memory as a whole."""

_NDJSON = "application/x-ndjson"

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
        method="POST",
        path="/v1/cards/temporary",
        handler=handlers.register_temporary_card,
        scope=Scope.REGISTER,
        summary="A card that ends, for somebody without a document; another one every time",
        answers={201: wire.RegisteredCard, 200: wire.RegisteredCard},
        body=wire.TemporaryRegistration,
        problems=(*BODY, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/cards/child",
        handler=handlers.register_child,
        scope=Scope.REGISTER,
        summary="The card of a newborn, or a child without a document, under its guardian's",
        answers={201: wire.RegisteredCard, 200: wire.RegisteredCard},
        body=wire.ChildRegistration,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/cards/batch",
        handler=bulk.register_batch,
        scope=Scope.REGISTER,
        summary="Up to 10,000 people; a bad row is one refused row",
        answers={200: bulk_wire.BatchOutcome},
        body=bulk_wire.Batch,
        body_limit=BATCH_LIMIT,
        problems=BODY,
    ),
    Endpoint(
        method="POST",
        path="/v1/cards/bulk/ndjson",
        handler=bulk.register_ndjson,
        scope=Scope.REGISTER,
        summary=f"Up to {bulk.MOST_ROWS:,} people, a JSON object a line; a line of outcome each, once they are stored",
        answers={200: _NDJSON},
        stream=(_NDJSON,),
        body_limit=BULK_LIMIT,
        problems=BODY,
    ),
    Endpoint(
        method="POST",
        path="/v1/cards/bulk/csv",
        handler=bulk.register_csv,
        scope=Scope.REGISTER,
        summary="The same from CSV in UTF-8 with a header (id_type, id_number, name)",
        answers={200: _NDJSON},
        stream=("text/csv",),
        body_limit=BULK_LIMIT,
        problems=BODY,
    ),
    Endpoint(
        method="POST",
        path="/v1/cards/find",
        handler=handlers.find_card,
        scope=Scope.ACCOUNTS_READ,
        summary="The card of a document, a card id, a mindex or a scanned code, masked",
        answers={200: wire.Card},
        body=wire.CardQuery,
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="POST",
        path="/v1/cards/plain",
        handler=handlers.look_at_card,
        scope=Scope.ACCOUNTS_PLAIN,
        summary="The same in full, with details; the look is recorded",
        answers={200: wire.PlainCard},
        body=wire.CardQuery,
        problems=(*BODY, 404),
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
