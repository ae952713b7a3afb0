"""Verification."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from ehc.codes.verification import Verification
from ehc.codes.visit import place_of
from ehc.model import Reason, Verdict
from ehc.web import reply
from ehc.web.endpoint import Call
from ehc.web.render import verify as render
from ehc.web.reply import Reply
from ehc.web.wire import verify as wire

log = logging.getLogger("ehc.web")

_ACCEPTED = Reason.ACCEPTED


async def verify(call: Call, body: wire.VerifyRequest) -> Reply:
    checked = check(call, body)
    found = checked if isinstance(checked, Verification) else await checked
    note(call, found.verdict, body)
    if found.degraded:
        call.observed.degraded()
    return reply.json(render.verification(found, body.scene, explain=call.services.settings.explain_refusals))


def check(call: Call, body: wire.VerifyRequest) -> Verification | Awaitable[Verification]:
    """A code that was shown, over whatever interface. No coroutine: that would cost more than it does."""
    services = call.services
    institution = call.institution(body.institution)
    call.seen(institution, body.terminal)
    place, disabled = place_of(institution, body.terminal), services.disabled.has(institution, body.terminal)
    return services.verifier.check(body.payload, body.scene, services.clock(), place, disabled=disabled)


def note(call: Call, verdict: Verdict, body: wire.VerifyRequest) -> None:
    """Every verdict is counted; a refusal is logged with what the answer may hide."""
    call.observed.verdict(verdict.reason)
    if verdict.reason is not _ACCEPTED:
        where = {"scene": body.scene, "institution": body.institution, "terminal": body.terminal}
        what = {"caller": call.caller.name, "reason": verdict.reason.value, "step": verdict.step}
        log.info("refused", extra={"fields": where | what})
