"""What a scanned text says, whatever its profile: steps 1 to 5 by the crypto machine, and by what the code is known."""

from __future__ import annotations

from typing import NamedTuple

from ehc.codes.policy import ScenePolicy
from ehc.crypto import CompactVerdict
from ehc.crypto.signed import PREFIX as _SIGNED
from ehc.crypto.signed import check_signed, day_of_alias, with_account
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
COMPACT = "EHC2:"
_E2 = Profile.E2  # a member's look-up in its class is no cheap one in Python 3.11


class CodeReader:
    """What does not change from code to code is looked up once."""

    def __init__(self, keys: KeyService, policy: ScenePolicy) -> None:
        self._keys, self._window, self._token_profiles = keys, policy.window, policy.token_profiles
        self._tolerance, self._validity = policy.tolerance, policy.validity
        self._takes_compact, self._takes_signed = Profile.E2 in policy.profiles, Profile.E3 in policy.profiles

    def read(self, text: str | bytes, now: int) -> Read:
        """Raises KeyUnavailable."""
        if self._takes_compact and (text[:5] == COMPACT or _begins(text, COMPACT)):
            return _compact(self._keys.check_compact(text, now, self._tolerance))
        if self._takes_signed and _begins(text, _SIGNED):
            return self._signed(text, now)
        verdict = self._keys.check_token(text, now, self._window, self._token_profiles)
        payload = verdict.payload
        if payload is None:
            return Read(verdict)
        if not payload.dynamic or verdict.expiry is None:
            return Read(verdict, Profile.STATIC, payload.card_id)
        bound = verdict.bound is not None
        code = token_code(payload.card_id, payload.token or "", bound=bound)
        issued_at, until = verdict.expiry - self._validity, verdict.expiry
        return Read(verdict, Profile.A if bound else Profile.N, payload.card_id, code, issued_at, until, not bound)

    def _signed(self, text: str | bytes, now: int) -> Read:
        """The signature first: only what this issuer signed is opened."""
        found = check_signed(text, self._keys.verification_keys(), now, tolerance=self._tolerance)
        if found.issued_at is not None:
            found = with_account(found, self._keys.open_alias(found.alias, day_of_alias(found.issued_at)))
        return _compact(found, Profile.E3, SIGNED)


SEALED, SIGNED = b"E", b"S"
"""Before the serial name of a compact code and of a signed one, in what it is known by."""


def _begins(text: str | bytes, prefix: str) -> bool:
    begin = text[: len(prefix)]
    return (begin if isinstance(begin, str) else begin.decode("latin-1")).upper() == prefix


def _compact(verdict: CompactVerdict, profile: Profile = _E2, kind: bytes = SEALED) -> Read:
    account, issued_at = verdict.account, verdict.issued_at
    if account is None or issued_at is None:
        return Read(verdict)
    until = compact_end(issued_at, verdict.expiry)
    return Read(verdict, profile, account, kind + verdict.serial_name, issued_at, until)


def compact_end(issued_at: int, expiry: int | None) -> int:
    return issued_at + _NO_END if expiry is None else expiry


def token_code(card_id: str, token: str, *, bound: bool) -> bytes:
    """N has no serial: (card id, validity) is the code. In A the token is the card's alone."""
    return (b"A" if bound else b"N") + bytes.fromhex(card_id + token)
