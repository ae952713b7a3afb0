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
        summary="The same, drawn as a QR symbol in PNG",
        answers={200: "image/png"},
        body=wire.DrawingRequest,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/codes/svg",
        handler=handlers.draw_code_as_svg,
        scope=Scope.CODES,
        summary="The same, drawn as a QR symbol in SVG",
        answers={200: "image/svg+xml"},
        body=wire.DrawingRequest,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/codes/labels",
        handler=handlers.print_labels,
        scope=Scope.CODES,
        summary="Labels with static codes, to be printed for people without a phone",
        answers={200: "application/pdf"},
        body=wire.LabelsRequest,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/codes/revoke",
        handler=handlers.revoke_code,
        scope=Scope.CODES,
        summary="Revoke a dynamic code: from the answer on nobody may use it",
        answers={200: wire.RevokedCode},
        body=wire.CodeShown,
        problems=(*BODY, 404, 409),
    ),
    Endpoint(
        method="POST",
        path="/v1/codes/reissue",
        handler=handlers.reissue_code,
        scope=Scope.CODES,
        summary="Revoke a dynamic code, and give another one of the same card",
        answers={200: wire.Code},
        body=wire.CodeShown,
        problems=(*BODY, 404, 409),
    ),
)
