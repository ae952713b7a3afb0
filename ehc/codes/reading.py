"""What a scanned text says, whatever its profile: steps 1 to 5 by the crypto machine, and by what the code is known."""

from __future__ import annotations

from typing import NamedTuple

from ehc.codes.policy import ScenePolicy
from ehc.model import Profile, Verdict
from ehc.ports import KeyService


class Read(NamedTuple):
    """verdict: of 1 to 5. The rest is empty unless there is a card to ask for."""

    verdict: Verdict
    profile: Profile = Profile.STATIC
    card: str | int = ""  # card id, or the account where the code names that
    code: bytes = b""  # what tells this code from all others; empty: a code without a token
    issued_at: int = 0  # seconds, as the next
    until: int = 0  # its last second, clocks being equal
    remembered: bool = False  # this system remembers every code of this profile that it issued


def read(keys: KeyService, text: bytes, now: int, policy: ScenePolicy) -> Read:
    verdict = keys.check_token(text, now, policy.window)
    payload = verdict.payload
    if payload is None:
        return Read(verdict)
    if not payload.dynamic or verdict.expiry is None:
        return Read(verdict, Profile.STATIC, payload.card_id)
    code = national_code(payload.card_id, payload.token or "")
    issued_at = verdict.expiry - policy.validity
    return Read(verdict, Profile.N, payload.card_id, code, issued_at, verdict.expiry, remembered=True)


def national_code(card_id: str, token: str) -> bytes:
    """Profile N has no serial: (card id, validity) is the code."""
    return b"N" + bytes.fromhex(card_id + token)
