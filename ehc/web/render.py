"""The field's values as wire types: what may be seen from outside, and nothing else."""

from __future__ import annotations

from datetime import datetime

from ehc.codes.issuing import IssuedCode
from ehc.codes.verification import Verification
from ehc.model import CST, AccountState, Card, Reason, Verdict
from ehc.web import wire

LOOK_ALIKE = frozenset(
    {Reason.KEY_VERSION, Reason.FORGED, Reason.NOT_ISSUED, Reason.EXPIRED, Reason.EARLY, Reason.UNKNOWN_CARD}
)
"""Refusals that would tell an outsider which half of a forgery worked (native/README.md, "Verification")."""

_STATES: dict[AccountState, wire.State] = {
    AccountState.CANCELLED: "cancelled",
    AccountState.NORMAL: "normal",
    AccountState.PENDING: "pending",
    AccountState.REJECTED: "rejected",
    AccountState.CERTIFIED: "certified",
    AccountState.UNREGISTERED: "unregistered",
}


def time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, CST)


def card(of: Card) -> wire.Card:
    person = of.identity
    return wire.Card(
        of.card_id, _STATES[of.state], person.masked_name(), person.masked_number(), time(of.registered_at)
    )


def registered_card(of: Card, created: bool) -> wire.RegisteredCard:
    shown = card(of)
    return wire.RegisteredCard(shown.card_id, shown.state, shown.name, shown.id_number, shown.registered_at, created)


def code(of: IssuedCode, kind: wire.Kind) -> wire.Code:
    return wire.Code(
        of.payload,
        kind,
        None if of.expires_at is None else time(of.expires_at),
        None if of.refresh_at is None else time(of.refresh_at),
    )


def verification(of: Verification, scene: str, *, explain: bool) -> wire.VerifyAnswer:
    """explain: tell the look-alike refusals apart, for a deployment whose callers may know."""
    verdict = of.verdict
    if not verdict.accepted or of.card is None:
        return _refusal(verdict, scene, explain)
    name, card_id = of.card.identity.masked_name(), of.card.card_id
    return wire.VerifyAnswer(True, wire.Outcome.ACCEPTED, 0, None, scene, name, card_id, verdict.expires_at)


def _refusal(verdict: Verdict, scene: str, explain: bool) -> wire.VerifyAnswer:
    if verdict.reason in LOOK_ALIKE and not explain:
        detail = "this code is not valid: ask for a new one"
        return wire.VerifyAnswer(False, wire.Outcome.INVALID, None, detail, scene, None, None, None)
    reason = wire.Outcome(verdict.reason.value)
    return wire.VerifyAnswer(False, reason, verdict.step, verdict.detail or None, scene, None, None, None)
