"""The one endpoint of family A."""

from __future__ import annotations

from ehc.web.endpoint import BODY, Endpoint
from ehc.web.profiles.do import door, wire

TABLE = (
    Endpoint(
        method="POST",
        path="/api/do",
        handler=door.do,
        scope=None,
        signed=True,
        summary="Family A of the field's interfaces, where `profiles` names it: nine methods, signed by an app",
        answers={200: wire.Answer},
        body=wire.Request,
        body_limit=1 << 20,
        problems=(*BODY, 404),
    ),
)
