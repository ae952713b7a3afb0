"""A session of an operator: from signing in to signing out, or to the end of its time.

The browser has 256 random bits in a cookie; the store has their SHA-256 digest, so a copy of it opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ehc.access.operator import Operator
from ehc.config import Settings

ID_BYTES = 32
SEEN_EVERY = 20
"""Seconds between two writings of when a session was last used."""


@dataclass(frozen=True, slots=True)
class Session:
    digest: bytes  # 32
    operator: Operator
    began_at: int
    seen_at: int
    account: int | None = None  # the person who is being looked at
    purpose: str = ""  # why

    @property
    def handle(self) -> str:
        """What a page names it by: opens nothing."""
        return self.digest[:8].hex()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds without a request; seconds in all."""

    idle: int
    whole: int

    def is_over(self, session: Session, now: int) -> bool:
        return now - session.seen_at >= self.idle or now - session.began_at >= self.whole


def timeouts(settings: Settings) -> Timeouts:
    return Timeouts(settings.console_idle_seconds, settings.console_session_seconds)


class SessionStore(Protocol):
    """What a method returned is committed. All raise Unavailable."""

    def begin(self, digest: bytes, operator: str, now: int, began_before: int) -> None:
        """Sessions that began before that second are over: they go."""
        ...

    def find(self, digest: bytes) -> Session | None:
        """With the operator as they are now; None for one that is disabled."""
        ...

    def seen(self, digest: bytes, now: int) -> None: ...

    def look_at(self, digest: bytes, account: int | None, purpose: str) -> None:
        """Whom this session looks at from now on, and why."""
        ...

    def of(self, operator: str) -> Sequence[Session]:
        """The latest first."""
        ...

    def end(self, digest: bytes) -> None: ...


def digest_of(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).digest()


def form_token(cookie: str) -> str:
    """What a form must bring back: only who has seen a page made for this cookie can know it."""
    return hmac.digest(cookie.encode("utf-8", "surrogatepass"), b"ehc console form", "sha256").hex()


def is_form_token(token: str, cookie: str) -> bool:
    return bool(cookie) and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), form_token(cookie).encode())
