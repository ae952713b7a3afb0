"""The second factor of an operator (动态口令): six digits that change every 30 seconds, from a phone (RFC 6238).

HMAC-SHA-1, as every app for it takes for granted (△); codes of the step before and after count too, each once.
The secret is kept sealed under the protection key (`keys/app_secrets.py`).
"""

from __future__ import annotations

import base64
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
NONCE_BYTES = 12
STEP = 30  # seconds
DIGITS = 6
ISSUER = "ehc"


class Seals(Protocol):
    """Both raise KeyUnavailable."""

    def seal(self, secret: str, name: str, nonce: bytes) -> bytes: ...

    def unseal(self, sealed: bytes, name: str) -> str: ...


class SecondFactor:
    """A secret: what it is shown as, and which codes it makes."""

    def __init__(self, secret: bytes) -> None:
        """secret: SECRET_BYTES random bytes."""
        self._secret = secret
        self._totp = TOTP(secret, DIGITS, SHA1(), STEP)  # noqa: S303  RFC 6238's own, as HMAC

    def step_of(self, code: str, now: int) -> int | None:
        """The step that the code is of: this one, the one before, the one after. None: of none of them."""
        typed = "".join(code.split())
        if not (len(typed) == DIGITS and typed.isascii() and typed.isdigit()):
            return None
        found = None
        for step in (now // STEP - 1, now // STEP, now // STEP + 1):
            if self._is_of(step, typed):
                found = step
        return found

    def _is_of(self, step: int, typed: str) -> bool:
        try:
            self._totp.verify(typed.encode(), step * STEP)  # takes the same time whichever digit differs
        except InvalidToken:
            return False
        return True

    def address(self, name: str) -> str:
        """otpauth://…, for a QR code that the app on the phone reads."""
        return self._totp.get_provisioning_uri(name, ISSUER)

    def typed(self) -> str:
        """For an app without a camera: base32 in groups of four."""
        text = base64.b32encode(self._secret).decode("ascii")
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))

    def sealed(self, seals: Seals, name: str, nonce: bytes) -> bytes:
        """For this operator alone. nonce: NONCE_BYTES random bytes."""
        return seals.seal(self._secret.hex(), _label(name), nonce)

    @classmethod
    def opened(cls, seals: Seals, sealed: bytes, name: str) -> SecondFactor:
        return cls(bytes.fromhex(seals.unseal(sealed, _label(name))))


def _label(name: str) -> str:
    """No app is called so: their names hold no colon."""
    return f"operator:{name}"
