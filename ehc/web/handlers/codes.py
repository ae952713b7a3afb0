"""Codes."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from ehc.codes import draw
from ehc.codes.issuing import IssuedCode
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import codes as render
from ehc.web.reply import Reply
from ehc.web.wire import codes as wire


async def make_code(call: Call, body: wire.CodeRequest) -> Reply:
    return reply.json(render.code(await _issue(call, body), body.kind))


async def draw_code(call: Call, body: wire.CodeRequest) -> Reply:
    code = await _issue(call, body)
    return Reply(await run_in_threadpool(draw.png, code.payload), media_type="image/png")


async def _issue(call: Call, body: wire.CodeRequest) -> IssuedCode:
    issuer = call.services.issuer
    make = issuer.static if body.kind == "static" else issuer.dynamic
    return await make(body.card_id, call.services.clock())
