"""Verification of a scanned code: one path, eight steps, in the order and with the numbers of `model.STEPS`.

    1 length and alphabet     the text is short enough and has only characters that payloads have
    2 grammar and profile     it is one of the forms of native/README.md, "Payloads", and nobody else's code
    3 key version             a protection key version that may still check
    4 authenticity            the token was made under it, and is one that this system issued
    5 time window             not past its expiry, nor further ahead than its validity
    6 card and account        the card is known and its account in state NORMAL
    7 scene policy            this kind of code serves in this scene
    8 replay claim            in a scene of single use, nobody has used it before

Static, temporary and bare codes carry no token: nothing of 3 to 5 applies to them, nor 8.
"""

from __future__ import annotations

from dataclasses import dataclass

from ehc.codes.policy import ScenePolicy
from ehc.model import AccountState, Card, Payload, Reason, Verdict
from ehc.ports import CardStore, ClaimStore, KeyService

_NOT_AUTHENTIC = (Reason.KEY_VERSION, Reason.FORGED)
_TOKEN_PASSES = (Reason.ACCEPTED, Reason.NO_TOKEN)

_DETAILS = {
    Reason.NOT_ISSUED: "an authentic token, but not one that this system issued for this card",
    Reason.UNKNOWN_CARD: "no card has this card id",
    Reason.CARD_STATE: "the card's account is not in state NORMAL",
    Reason.SCENE: "this kind of code is not accepted in this scene",
    Reason.REPLAYED: "this code has been used; show a new one",
}


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out. card: the one shown, None until step 6 has found it; never for an outsider unless accepted."""

    verdict: Verdict
    card: Card | None = None

    def require(self) -> Verification:
        """Itself when accepted, else raises Refused."""
        self.verdict.require()
        return self


class Verifier:
    """Checks codes. Raises KeyUnavailable and Unavailable: what could not be checked is never accepted."""

    def __init__(self, keys: KeyService, cards: CardStore, claims: ClaimStore, policy: ScenePolicy) -> None:
        self._keys, self._cards, self._claims, self._policy = keys, cards, claims, policy

    def verify(self, payload: str | bytes, scene: str, now: int) -> Verification:
        """check() for a caller who must not go on after a refusal: raises Refused."""
        return self.check(payload, scene, now).require()

    def check(self, payload: str | bytes, scene: str, now: int) -> Verification:  # noqa: PLR0911  one return a step
        """Take a code at a time (seconds since 1970) in a scene (诊疗环节, six digits). A refusal is a value.

        An acceptance in a scene of single use is on the disk when this returns.
        """
        text = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
        checked = self._keys.check_token(text, now, self._policy.window)  # the machine's answer to 1 to 5
        code = checked.payload
        # 1 length and alphabet
        # 2 grammar and profile
        if code is None:
            return Verification(checked)
        # 3 key version
        # 4 authenticity
        if checked.reason in _NOT_AUTHENTIC:
            return Verification(checked)
        if code.dynamic and not self._issued(code):
            return _refused(checked, Reason.NOT_ISSUED)
        # 5 time window
        if checked.reason not in _TOKEN_PASSES:
            return Verification(checked)
        # 6 card and account
        card = self._cards.card(code.card_id)
        if card is None:
            return _refused(checked, Reason.UNKNOWN_CARD)
        if card.state is not AccountState.NORMAL:
            return _refused(checked, Reason.CARD_STATE, card)
        # 7 scene policy
        if not self._policy.allows(scene, code):
            return _refused(checked, Reason.SCENE, card)
        # 8 replay claim
        if code.dynamic and self._policy.single_use(scene) and not self._claim(code, checked.expiry, now):
            return _refused(checked, Reason.REPLAYED, card)
        return Verification(checked.judged(Reason.ACCEPTED), card)

    def _issued(self, code: Payload) -> bool:
        return self._policy.accept_unissued or self._cards.issued_code(code.card_id, code.token or "")

    def _claim(self, code: Payload, expiry: int | None, now: int) -> bool:
        """Profile N has no serial: (card id, validity) is what serves once, in all such scenes together."""
        key = b"N" + bytes.fromhex(f"{code.card_id}{code.token}")
        return self._claims.claim(key, (expiry or 0) + self._policy.tolerance, now)


def _refused(checked: Verdict, reason: Reason, card: Card | None = None) -> Verification:
    return Verification(checked.judged(reason, _DETAILS[reason]), card)
