"""Whose code this is: the same eight steps, without claiming it."""

from __future__ import annotations

from msgspec.structs import replace

from ehc.codes.verification import Verification, Verifier
from ehc.errors import Unavailable
from ehc.model import Answer
from ehc.ports import HotState


async def owner_of(verifier: Verifier, hot: HotState, payload: str, scene: str, now: int) -> Verification:
    """As Verifier.check before anybody claimed the code. Raises KeyUnavailable, Unavailable."""
    plan = verifier.plan(payload, scene, now)
    if isinstance(plan, Verification):
        return plan
    question = plan.question._replace(uses=0, holder=0)
    answer = hot.ask(question, now)
    found = verifier.conclude(replace(plan, question=question), answer if isinstance(answer, Answer) else await answer)
    if found.degraded:
        raise Unavailable("who a code belongs to cannot be told while the hot state is gone")
    return found
