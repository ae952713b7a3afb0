"""Endpoints of codes."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import codes as handlers
from ehc.web.wire import codes as wire

TABLE = (
    Endpoint(
        method="POST",
        path="/v1/codes",
        handler=handlers.make_code,
        scope=Scope.CODES,
        summary="A static or dynamic code for a card",
        answers={200: wire.Code},
        body=wire.CodeRequest,
        hot=True,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/codes/png",
        handler=handlers.draw_code,
        scope=Scope.CODES,
        summary="The same, drawn as a QR symbol",
        answers={200: "image/png"},
        body=wire.CodeRequest,
        problems=(*BODY, 404, 409),
    ),
)
