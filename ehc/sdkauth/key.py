"""Authorisation keys (授权密钥): what an app signs its requests with. Two of a kind may be live, so that one
follows the other without a pause.

    hmac     32 random bytes, HMAC-SM3; downloaded once, sealed to the app's SM2 key; kept sealed
    sm2      the app's own key pair: only its public key is here, and nothing is downloaded
    legacy   app_secret = SM3(app_id ‖ system_key) of existing SDKs
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ehc.errors import Conflict, InputError

Kind = Literal["hmac", "sm2", "legacy"]
KINDS: tuple[Kind, ...] = ("hmac", "sm2", "legacy")
MOST_LIVE = 2
SECRET_BYTES = 32
ID_BYTES = 12
ALGORITHMS = {"hmac": "hmac-sm3", "sm2": "sm2-sm3"}


@dataclass(frozen=True, slots=True)
class AppKey:
    """id: unique; not secret. sealed: of hmac and legacy. public_key: of sm2, x ‖ y."""

    id: str
    app: str
    kind: Kind
    created_at: int
    sealed: bytes | None = field(default=None, repr=False)
    public_key: bytes | None = None
    ends_at: int | None = None  # from this second it is refused
    fetched_at: int | None = None  # when it was downloaded

    def is_live(self, now: int) -> bool:
        return self.ends_at is None or now < self.ends_at


def require_room(keys: Sequence[AppKey], kind: Kind, now: int) -> None:
    """Raises Conflict when two of this kind are live."""
    live = [key.id for key in keys if key.kind == kind and key.is_live(now)]
    if len(live) >= MOST_LIVE:
        raise Conflict(f"two {kind} keys are live ({', '.join(live)}): end one of them first")


def require_public_key(raw: bytes | None) -> bytes:
    """Raises InputError."""
    if raw is None or len(raw) != 64:
        raise InputError("public_key: an SM2 public key, x and y in 128 hex digits")
    return raw
