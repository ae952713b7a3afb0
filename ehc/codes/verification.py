"""Verification of a scanned code: one path, eight steps, in the order and with the numbers of `model.STEPS`.

    1 length and alphabet     the text is short enough and has only characters that payloads have
    2 grammar and profile     it is one of the forms of native/README.md, "Payloads", and nobody else's code
    3 key version             a protection key version that may still check
    4 authenticity            the token was made under it, and is one that this system issued
    5 time window             not past its expiry, nor further ahead than its validity
    6 card and account        the card is known, its account in state NORMAL, and the code was not revoked
    7 scene policy            this kind of code serves in this scene, and who checks it may check codes
    8 replay claim            in a scene of single use, nobody else has used it before

`plan` takes what the text and the policy say; the hot state is asked one question about the rest; `conclude` puts both
together. Static, temporary and bare codes carry no token: nothing of 3 to 5 applies to them, nor 8.
"""

from __future__ import annotations

from collections.abc import Awaitable

from msgspec import Struct

from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import CodeReader
from ehc.codes.visit import holder_of, visit_of
from ehc.model import Answer, CardStatus, Claim, Profile, Question, Reason, Verdict
from ehc.ports import HotState, KeyService

_FOUND = (Reason.ACCEPTED, Reason.NO_TOKEN, Reason.EXPIRED, Reason.EARLY)
"""What the machine says of codes that are somebody's: 1 to 4 did not refuse."""

_OUTSIDE = (Reason.EXPIRED, Reason.EARLY)
_ACCEPTED, _LOST, _REVOKED = Reason.ACCEPTED, Claim.LOST, Claim.REVOKED  # no cheap look-up in Python 3.11

_DETAILS = {
    Reason.NOT_ISSUED: "an authentic token, but not one that this system issued for this card",
    Reason.UNKNOWN_CARD: "no card has this card id",
    Reason.CARD_STATE: "the card's account is not in state NORMAL, or its time is over",
    Reason.REVOKED: "this code has been revoked; show a new one",
    Reason.SCENE: "this kind of code is not accepted in this scene",
    Reason.PLACE: "this institution or terminal is disabled and may check no codes",
    Reason.REPLAYED: "this code has been used; show a new one",
}


class Verification(Struct, frozen=True, gc=False):
    """What came out. card: the one shown, None until step 6 has found it; never for an outsider unless accepted.

    visit: of an accepted code that serves once; the same place may check it again in the same visit. degraded: accepted
    without knowing whether it was issued here, or revoked.
    """

    verdict: Verdict
    card: CardStatus | None = None
    profile: Profile | None = None  # None unless accepted
    visit: str | None = None
    degraded: bool = False

    def require(self) -> Verification:
        """Itself when accepted, else raises Refused."""
        self.verdict.require()
        return self


class Plan(Struct, frozen=True, gc=False):
    """What is left to ask, after the text, the clock and the policy were looked at."""

    verdict: Verdict  # of 1 to 5
    profile: Profile
    question: Question
    allowed: bool  # by 7
    now: int
    disabled: bool = False  # where it is checked


class Verifier:
    """Checks codes. Raises KeyUnavailable and Unavailable: what could not be checked is never accepted."""

    def __init__(self, keys: KeyService, hot: HotState, policy: ScenePolicy) -> None:
        self._reader, self._hot, self._policy = CodeReader(keys, policy), hot, policy

    async def verify(
        self, payload: str | bytes, scene: str, now: int, place: str = "", *, disabled: bool = False
    ) -> Verification:
        """check() for a caller who must not go on after a refusal: raises Refused."""
        found = self.check(payload, scene, now, place, disabled=disabled)
        return (found if isinstance(found, Verification) else await found).require()

    def check(
        self, payload: str | bytes, scene: str, now: int, place: str = "", *, disabled: bool = False
    ) -> Verification | Awaitable[Verification]:
        """Take a code at a time (seconds since 1970) in a scene (诊疗环节, six digits). A refusal is a value.

        place: institution and terminal, where they are known; disabled: one of them is. An acceptance in a scene of
        single use survives a kill -9 from the moment this has an answer.
        """
        plan = self.plan(payload, scene, now, place, disabled=disabled)
        if isinstance(plan, Verification):
            return plan
        answer = self._hot.ask(plan.question, now)
        return self.conclude(plan, answer) if isinstance(answer, Answer) else self._later(plan, answer)

    async def _later(self, plan: Plan, answer: Awaitable[Answer]) -> Verification:
        return self.conclude(plan, await answer)

    def plan(
        self, payload: str | bytes, scene: str, now: int, place: str = "", *, disabled: bool = False
    ) -> Plan | Verification:
        """1 to 5, 7, and what to ask; a Verification when it is refused already."""
        verdict, profile, card, code, issued_at, until, remembered = self._reader.read(payload, now)
        # 1 length and alphabet
        # 2 grammar and profile
        # 3 key version
        # 4 authenticity
        if verdict.reason not in _FOUND:
            return Verification(verdict)
        profiles, uses = self._policy.in_scene(scene)
        allowed = not disabled and profile in profiles
        if not allowed or verdict.reason is not _ACCEPTED:
            uses = 0  # what is refused anyway is not claimed
        unknown = remembered and not self._policy.accept_unissued
        question = Question(card, code, issued_at, until, unknown, uses, holder_of(place), place)
        return Plan(verdict, profile, question, allowed, now, disabled)

    def conclude(self, plan: Plan, answer: Answer) -> Verification:
        verdict = plan.verdict
        reason = judge(verdict.reason, answer.issued, answer.card, answer.claim, plan.now, plan.allowed, plan.disabled)
        if reason is _ACCEPTED:
            visit = _visit(plan.question)
            return Verification(verdict.judged(reason), answer.card, plan.profile, visit, answer.degraded)
        if reason in _OUTSIDE:
            return Verification(verdict)
        return _refused(verdict, reason, answer.card if answer.issued else None)


def judge(  # noqa: PLR0911, PLR0917  called for every row of a batch
    found: Reason,
    issued: bool,
    card: CardStatus | None,
    claim: Claim,
    now: int,
    allowed: bool,
    disabled: bool,
) -> Reason:
    """The first step that refuses gives the reason. found: by 1 to 5; issued, card, claim: of an Answer; allowed,
    disabled: by 7."""
    # 4 authenticity
    if not issued:
        return Reason.NOT_ISSUED
    # 5 time window
    if found in _OUTSIDE:
        return found
    # 6 card and account
    if card is None:
        return Reason.UNKNOWN_CARD
    if not card.usable(now):
        return Reason.CARD_STATE
    if claim is _REVOKED:
        return Reason.REVOKED
    # 7 scene policy
    if not allowed:
        return Reason.PLACE if disabled else Reason.SCENE
    # 8 replay claim
    return Reason.REPLAYED if claim is _LOST else _ACCEPTED


def _refused(verdict: Verdict, reason: Reason, card: CardStatus | None = None) -> Verification:
    return Verification(verdict.judged(reason, _DETAILS[reason]), card)


def _visit(question: Question) -> str | None:
    return visit_of(question.code, question.holder) if question.uses and question.holder else None
