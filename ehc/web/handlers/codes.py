"""Codes."""

from __future__ import annotations

import logging
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from ehc.codes import draw
from ehc.codes.issuing import IssuedCode
from ehc.codes.label import Label, labels_pdf
from ehc.errors import Conflict, NotFound
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import codes as render
from ehc.web.reply import Reply
from ehc.web.wire import codes as wire

REQUESTS_A_LABEL = 20
"""A sheet is charged to its caller's rate as the work that it is."""

log = logging.getLogger("ehc.web")


async def make_code(call: Call, body: wire.CodeRequest) -> Reply:
    return reply.json(render.code(await _issue(call, body), body.kind))


async def draw_code(call: Call, body: wire.DrawingRequest) -> Reply:
    code = await _issue(call, body)
    return Reply(await run_in_threadpool(draw.png, code.payload, body.scale), media_type="image/png")


async def draw_code_as_svg(call: Call, body: wire.DrawingRequest) -> Reply:
    code = await _issue(call, body)
    drawn = await run_in_threadpool(draw.svg, code.payload, body.scale)
    return Reply(drawn.encode("utf-8"), media_type="image/svg+xml")


async def print_labels(call: Call, body: wire.LabelsRequest) -> Reply:
    call.cost = REQUESTS_A_LABEL * len(body.card_ids)
    labels = [await _label(call, i, card_id, body.note) for i, card_id in enumerate(body.card_ids)]
    font = call.services.settings.label_font
    drawn = await run_in_threadpool(labels_pdf, labels, render.SHEETS[body.sheet], Path(font) if font else None)
    return Reply(drawn, media_type="application/pdf")


async def revoke_code(call: Call, body: wire.CodeShown) -> Reply:
    revoked = await call.services.revoker.revoke(body.payload, call.services.clock())
    log.info("code_revoked", extra={"fields": {"caller": call.caller.name, "account": revoked.card.account}})
    return reply.json(render.revoked(revoked))


async def reissue_code(call: Call, body: wire.CodeShown) -> Reply:
    return reply.json(render.code(await call.services.revoker.reissue(body.payload, call.services.clock()), "dynamic"))


async def _issue(call: Call, body: wire.CodeRequest) -> IssuedCode:
    issuer = call.services.issuer
    make = issuer.static if body.kind == "static" else issuer.dynamic
    return await make(body.card_id, call.services.clock())


async def _label(call: Call, i: int, card_id: str, note: str) -> Label:
    try:
        code = await call.services.issuer.static(card_id, call.services.clock())
    except (NotFound, Conflict) as error:
        raise type(error)(f"card_ids[{i}]: {error}") from error
    return Label(code.payload, code.name, note)
