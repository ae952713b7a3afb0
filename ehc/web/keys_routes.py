"""Endpoints of keys: what may be seen of them from outside. Nothing is done to a key over HTTP."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import Endpoint
from ehc.web.handlers import keys as handlers
from ehc.web.wire import keys as wire

TABLE = (
    Endpoint(
        method="GET",
        path="/v1/keys/rekeying",
        handler=handlers.show_rekeying,
        scope=Scope.KEYS_READ,
        summary="How the re-keying of the province stands, the open one or the last: phase, accounts, rate, forecast",
        answers={200: wire.RekeyingProgress},
        problems=(404, 500, 503),
    ),
)
