"""Endpoints of verification."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import offline
from ehc.web.handlers import verify as handlers
from ehc.web.shortcut import open_shortcut
from ehc.web.wire import verify as wire

BATCH_LIMIT = 8 << 20

TABLE = (
    Endpoint(
        method="POST",
        path="/v1/verify",
        handler=handlers.verify,
        scope=Scope.VERIFY,
        summary="Check a scanned code in a scene; an acceptance in a scene of single use uses it up",
        answers={200: wire.VerifyAnswer},
        body=wire.VerifyRequest,
        decoder=wire.VerifyDecoder,
        hot=True,
        shortcut=open_shortcut,
        problems=BODY,
    ),
    Endpoint(
        method="POST",
        path="/v1/verify/batch",
        handler=offline.verify_batch,
        scope=Scope.VERIFY,
        summary="Up to 10,000 checks that a terminal made offline, each judged at its own time",
        answers={200: wire.OfflineVerdicts},
        body=wire.VerifyBatch,
        body_limit=BATCH_LIMIT,
        hot=True,
        problems=BODY,
    ),
    Endpoint(
        method="GET",
        path="/v1/offline-list",
        handler=offline.offline_list,
        scope=Scope.VERIFY,
        summary="What a terminal without network needs: issuer keys, scenes and revocations, signed",
        answers={200: wire.OfflineList},
        problems=(409, 500, 503),
    ),
)
