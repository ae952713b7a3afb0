"""Verifications: what an outsider must not tell apart looks alike."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from ehc.codes.verification import Verification
from ehc.model import CST, CardStatus, Profile, Reason, Verdict
from ehc.web.wire import verify as wire

LOOK_ALIKE = frozenset(
    {Reason.KEY_VERSION, Reason.FORGED, Reason.NOT_ISSUED, Reason.EXPIRED, Reason.EARLY, Reason.UNKNOWN_CARD}
)
"""Refusals that would tell an outsider which half of a forgery worked (native/README.md, "Verification")."""


_ACCEPTED = wire.Outcome.ACCEPTED


def verification(of: Verification, scene: str, *, explain: bool) -> wire.VerifyAnswer:
    """explain: tell the look-alike refusals apart, for a deployment whose callers may know."""
    verdict = of.verdict
    if not verdict.accepted or of.card is None:
        return _refusal(verdict, scene, explain)
    return accepted(scene, of.card, verdict.expiry, of.profile, of.visit, degraded=of.degraded)


def accepted(
    scene: str, card: CardStatus, expiry: int | None, profile: Profile | None, visit: str | None, *, degraded: bool
) -> wire.VerifyAnswer:
    shown = (card.name, card.card_id, _moment(expiry), profile, visit, degraded)
    return wire.VerifyAnswer(True, _ACCEPTED, 0, None, scene, *shown)


@lru_cache(1024)
def _moment(expiry: int | None) -> datetime | None:
    """Codes that are shown at one time end at few different seconds."""
    return None if expiry is None else datetime.fromtimestamp(expiry, CST)


def _refusal(verdict: Verdict, scene: str, explain: bool) -> wire.VerifyAnswer:
    if verdict.reason in LOOK_ALIKE and not explain:
        detail = "this code is not valid: ask for a new one"
        return wire.VerifyAnswer(False, wire.Outcome.INVALID, None, detail, scene, None, None, None)
    reason = wire.Outcome(verdict.reason.value)
    return wire.VerifyAnswer(False, reason, verdict.step, verdict.detail or None, scene, None, None, None)
