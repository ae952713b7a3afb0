"""Endpoints of verification."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import verify as handlers
from ehc.web.wire import verify as wire

TABLE = (
    Endpoint(
        method="POST",
        path="/v1/verify",
        handler=handlers.verify,
        scope=Scope.VERIFY,
        summary="Check a scanned code in a scene; an acceptance in a scene of single use uses it up",
        answers={200: wire.VerifyAnswer},
        body=wire.VerifyRequest,
        hot=True,
        problems=BODY,
    ),
)
