"""Endpoints of the service itself, for everybody."""

from __future__ import annotations

from ehc.web.endpoint import Endpoint
from ehc.web.handlers import service as handlers
from ehc.web.wire import service as wire

TABLE = (
    Endpoint(
        method="GET",
        path="/v1/time",
        handler=handlers.tell_time,
        scope=None,
        summary="The service's clock",
        answers={200: wire.Time},
    ),
    Endpoint(
        method="GET",
        path="/health",
        handler=handlers.health,
        scope=None,
        summary="This process answers",
        answers={200: wire.Status},
    ),
    Endpoint(
        method="GET",
        path="/ready",
        handler=handlers.ready,
        scope=None,
        summary="Store and keys answer too",
        answers={200: wire.Status},
        problems=(500, 503),
    ),
)
