"""What a scanned text says, whatever its profile: steps 1 to 5 by the crypto machine, and by what the code is known."""

from __future__ import annotations

from typing import NamedTuple

from ehc.codes.policy import ScenePolicy
from ehc.crypto import CompactCode
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


_NO_END = 100 * 366 * 86_400  # seconds: codes that hold until they are revoked
_COMPACT = b"EHC2:"


def read(keys: KeyService, text: bytes, now: int, policy: ScenePolicy) -> Read:
    """Raises KeyUnavailable."""
    if text[:5].upper() == _COMPACT and Profile.E2 in policy.profiles:
        return _compact(keys, text, now, policy)
    verdict = keys.check_token(text, now, policy.window, policy.token_profiles)
    payload = verdict.payload
    if payload is None:
        return Read(verdict)
    if not payload.dynamic or verdict.expiry is None:
        return Read(verdict, Profile.STATIC, payload.card_id)
    bound = verdict.bound is not None
    profile, code = (Profile.A if bound else Profile.N), token_code(payload.card_id, payload.token or "", bound=bound)
    return Read(
        verdict, profile, payload.card_id, code, verdict.expiry - policy.validity, verdict.expiry, remembered=not bound
    )


def _compact(keys: KeyService, text: bytes, now: int, policy: ScenePolicy) -> Read:
    checked = keys.check_compact(text, now, policy.tolerance)
    code = checked.code
    expiry = None if code is None or code.account is None else code.expiry
    verdict = Verdict(checked.reason, None, expiry, checked.detail, checked.offset)
    if code is None or code.account is None:
        return Read(verdict)
    until = code.issued_at + _NO_END if expiry is None else expiry
    return Read(verdict, Profile.E2, code.account, _serial_code(code), code.issued_at, until)


def token_code(card_id: str, token: str, *, bound: bool) -> bytes:
    """N has no serial: (card id, validity) is the code. In A the token is the card's alone."""
    return (b"A" if bound else b"N") + bytes.fromhex(card_id + token)


def _serial_code(code: CompactCode) -> bytes:
    """issuer, node, key version and serial together are never used twice."""
    return b"E%06d%x.%d.%d" % (code.issuer, code.node, code.key_version, code.serial)
