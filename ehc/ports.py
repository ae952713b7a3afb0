"""What the rules need from outside, as Protocols. Adapters (store, machine, reader) implement, `wiring` joins them.

One contract suite a port stands in tests/contract/ and runs over every implementation.
"""

from __future__ import annotations

from typing import Protocol

from ehc.crypto import Batch, DerivedBatch, Window
from ehc.crypto.batch import Padding
from ehc.model import AccountState, Card, Identity, Verdict


class Clock(Protocol):
    """Seconds since 1970-01-01T00:00:00Z. Rules never look at a clock of their own."""

    def __call__(self) -> int: ...


class KeyService(Protocol):
    """密码机: the only holder of the two keys. The keys issue adds MAC, sign and wrap, other machines and states."""

    @property
    def security_key_version(self) -> int:
        """Version of 安全密钥 that new card ids are derived under."""
        ...

    @property
    def security_key_check_value(self) -> str:
        """Key check value (6 upper-case hex digits) of that version. Raises KeyUnavailable."""
        ...

    def derive_batch(self, rows: Batch, *, padding: Padding = "full") -> DerivedBatch:
        """As ehc.crypto.derive_batch, under the active security key. Raises KeyUnavailable."""
        ...

    def seal_validity(self, time: int) -> str:
        """A validity token for a time (seconds), under the active protection key (保护密钥). Raises KeyUnavailable."""
        ...

    def check_token(self, payload: bytes, now: int, window: Window) -> Verdict:
        """As ehc.crypto.check_token, trying every protection key version that may check (step 3), newest first."""
        ...


class CardStore(Protocol):
    """Accounts and the codes issued for them. What a method returned has been committed: a crash does not undo it."""

    def register(
        self, identity: Identity, mindex: bytes, card_id: str, key_version: int, now: int
    ) -> tuple[Card, bool]:
        """The card of this mindex, and whether it is new. An existing one is returned unchanged, except that a
        cancelled one is restored (state NORMAL)."""
        ...

    def card(self, card_id: str) -> Card | None: ...

    def card_of_mindex(self, mindex: bytes) -> Card | None: ...

    def set_state(self, card_id: str, state: AccountState, now: int) -> Card:
        """Raises NotFound."""
        ...

    def remember_code(self, card_id: str, token: str, expiry: int) -> None:
        """This pair was issued. Remembering it again is no error."""
        ...

    def issued_code(self, card_id: str, token: str) -> bool: ...

    def ready(self) -> None:
        """Returns when the store answers and its schema is current; raises Unavailable that says what to do."""
        ...


class ClaimStore(Protocol):
    """Replay claims: the one place where a code becomes used."""

    def claim(self, key: bytes, until: int, now: int) -> bool:
        """True for exactly one caller per key until `until` (seconds); atomic across threads and processes, and kept
        through a kill -9 of the claimant. A claim past its `until` may be forgotten."""
        ...
