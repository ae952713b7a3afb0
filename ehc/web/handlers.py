"""The endpoints' functions: decoded in, one call into a system, rendered out. Whatever may block runs in a thread."""

from __future__ import annotations

import logging

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ehc.codes import draw
from ehc.codes.issuing import IssuedCode
from ehc.errors import NotFound
from ehc.model import Verdict
from ehc.web import render, wire
from ehc.wiring import Services

log = logging.getLogger("ehc.web")


def _json(body: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


async def verify(services: Services, body: wire.VerifyRequest) -> Response:
    found = await run_in_threadpool(services.verifier.check, body.payload, body.scene, services.clock())
    _log_verdict(found.verdict, body)
    return _json(render.verification(found, body.scene, explain=services.settings.explain_refusals))


def _log_verdict(verdict: Verdict, body: wire.VerifyRequest) -> None:
    where = {"scene": body.scene, "institution": body.institution, "terminal": body.terminal}
    what = {"accepted": verdict.accepted, "reason": verdict.reason.value, "step": verdict.step}
    log.info("verify", extra={"fields": where | what})


async def make_code(services: Services, body: wire.CodeRequest) -> Response:
    return _json(render.code(await _issue(services, body), body.kind))


async def draw_code(services: Services, body: wire.CodeRequest) -> Response:
    code = await _issue(services, body)
    return Response(await run_in_threadpool(draw.png, code.payload), media_type="image/png")


async def _issue(services: Services, body: wire.CodeRequest) -> IssuedCode:
    if body.kind == "static":
        return await run_in_threadpool(services.issuer.static, body.card_id)
    return await run_in_threadpool(services.issuer.dynamic, body.card_id, services.clock())


async def register_card(services: Services, body: wire.Registration) -> Response:
    card, created = await run_in_threadpool(
        services.registrar.register, body.id_type, body.id_number, body.name, services.clock()
    )
    return _json(render.registered_card(card, created), 201 if created else 200)


async def show_card(services: Services, card_id: str) -> Response:
    card = await run_in_threadpool(services.cards.card, card_id.upper())
    if card is None:
        raise NotFound("no card has this card id")
    return _json(render.card(card))


async def tell_time(services: Services) -> Response:
    now = services.clock()
    return _json(wire.Time(render.time(now), now))


async def health(services: Services) -> Response:
    """This process answers."""
    return _json(wire.Status("ok"))


async def ready(services: Services) -> Response:
    """What it needs answers too."""
    await run_in_threadpool(services.ready)
    return _json(wire.Status("ready"))
