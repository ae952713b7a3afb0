"""Verification."""

from __future__ import annotations

import logging

from ehc.codes.verification import Verification
from ehc.model import Verdict
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import verify as render
from ehc.web.reply import Reply
from ehc.web.wire import verify as wire

log = logging.getLogger("ehc.web")


async def verify(call: Call, body: wire.VerifyRequest) -> Reply:
    services = call.services
    place = f"{institution} {body.terminal or ''}" if (institution := call.institution(body.institution)) else ""
    checked = services.verifier.check(body.payload, body.scene, services.clock(), place)
    found = checked if isinstance(checked, Verification) else await checked
    _log_verdict(found.verdict, body)
    return reply.json(render.verification(found, body.scene, explain=services.settings.explain_refusals))


def _log_verdict(verdict: Verdict, body: wire.VerifyRequest) -> None:
    where = {"scene": body.scene, "institution": body.institution, "terminal": body.terminal}
    what = {"accepted": verdict.accepted, "reason": verdict.reason.value, "step": verdict.step}
    log.info("verify", extra={"fields": where | what})
