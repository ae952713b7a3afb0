"""Endpoints of the service itself, for everybody but one."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import Endpoint
from ehc.web.handlers import service as handlers
from ehc.web.metrics import MEDIA_TYPE
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
    Endpoint(
        method="GET",
        path="/metrics",
        handler=handlers.metrics,
        scope=Scope.METRICS,
        local=True,
        summary="What all workers of this service have counted, for Prometheus; this machine needs no key",
        answers={200: MEDIA_TYPE},
    ),
)
