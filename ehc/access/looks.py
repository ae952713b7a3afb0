"""A look at a person's plain data: recorded before anything is shown, never changed, never deleted by the service."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote_to_bytes

from ehc.errors import InputError

_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Look:
    at: int  # seconds since 1970
    who: str  # a caller's name, or operator:<name>
    what: str  # the endpoint or the page
    account: int | None  # at whom; None: a search that found nobody, or many
    purpose: str
    request_id: str = ""
    number: int = field(default=0, compare=False)  # the store's own; 0: not yet kept


class LookStore(Protocol):
    """Append-only. Both raise Unavailable."""

    def record(self, look: Look) -> None:
        """Committed when this returns."""
        ...

    def looks(self, account: int | None = None, limit: int = 100, before: int | None = None) -> Sequence[Look]:
        """The newest first; at one person, or at all; those with a smaller number than before."""
        ...


def purpose_of(text: str) -> str:
    """What X-Purpose says: 2 to 200 characters; other than ASCII as %XX of its UTF-8. Raises InputError."""
    try:
        purpose = unquote_to_bytes(text).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InputError("X-Purpose: not UTF-8 after its %XX are resolved") from None
    if not 2 <= len(purpose) <= 200 or _UNSEEN.search(purpose):
        raise InputError("X-Purpose: say in 2 to 200 characters why this person's data is looked at")
    return purpose
