"""What the rules need from outside, as Protocols. Adapters (store, machine, reader) implement, `wiring` joins them.

One contract suite a port stands in tests/contract/ and runs over every implementation.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ehc.crypto import Batch, CompactVerdict, DerivedBatch, OpenedCompact, Profiles, RekeyedBatch, Window
from ehc.crypto.batch import Padding
from ehc.model import Answer, Card, CardStatus, Claim, Claimant, Question, Verdict


class Clock(Protocol):
    """Seconds since 1970-01-01T00:00:00Z. Rules never look at a clock of their own."""

    def __call__(self) -> int: ...


class AuthenticTokens(NamedTuple):
    """Row for row."""

    found: list[bool]
    expiry: list[int]  # seconds since 1970; meaningless where none was found


class Capability(enum.StrEnum):
    """What a kind of crypto machine offers; which keys it has is another question."""

    DERIVE = "derive"  # card ids, under one key or two
    VALIDITY = "validity"  # 有效性信息, profile N
    BOUND = "bound"  # card-bound tokens, profile A
    COMPACT = "compact"  # compact codes, profile E2
    MAC = "mac"
    SIGN = "sign"  # SM2
    WRAP = "wrap"  # other keys and secrets


class Made(NamedTuple):
    """What a key made, and the key's version, without which it cannot be checked."""

    version: int
    value: bytes


class KeyService(Protocol):
    """密码机: the only holder of the keys while the system runs.

    What a machine does not offer, and what no key may be used for, raises KeyUnavailable that names it; a machine that
    cannot be reached or that refuses work (a self-test failed) raises Unavailable.
    """

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def security_key_version(self) -> int:
        """Version of 安全密钥 that new card ids are derived under."""
        ...

    @property
    def security_key_check_value(self) -> str:
        """Key check value (6 upper-case hex digits) of that version. Raises KeyUnavailable."""
        ...

    def derive_batch(self, rows: Batch, *, version: int | None = None, padding: Padding = "full") -> DerivedBatch:
        """As ehc.crypto.derive_batch, under this version of the security key; None: the one that makes card ids now.
        Raises KeyUnavailable for one that may not make card ids."""
        ...

    def rekey_batch(self, rows: Batch, *, old: int, new: int, padding: Padding = "full") -> RekeyedBatch:
        """As ehc.crypto.rekey_batch, under two versions of the security key. Raises KeyUnavailable for one under which
        card ids may be neither told nor prepared."""
        ...

    def seal_validity(self, time: int) -> str:
        """A validity token for a time (seconds), under the active protection key (保护密钥). Raises KeyUnavailable."""
        ...

    def seal_bound(self, card_id: str, expiry: int, sequence: int) -> str:
        """A card-bound token (profile A), as ehc.crypto.make_bound_token. Raises KeyUnavailable."""
        ...

    def check_token(
        self, payload: str | bytes, now: int, window: Window, profiles: Profiles = Profiles.NATIONAL
    ) -> Verdict:
        """As ehc.crypto.check_token, trying every protection key version that may check (step 3), newest first."""
        ...

    def check_tokens(self, payloads: Sequence[str], profile: Profiles, window: Window) -> AuthenticTokens:
        """Of payloads with a token: which were made under the active protection key as this profile, whatever the time
        is. What this does not find check_token may. Raises KeyUnavailable."""
        ...

    def seal_compact(self, account: int, *, issuer: int, node: int, serial: int, issued_at: int, ttl: int) -> str:
        """A compact code (profile E2), as ehc.crypto.make_compact_code. Raises KeyUnavailable."""
        ...

    def check_compact(self, payload: str | bytes, now: int, tolerance: int) -> CompactVerdict:
        """As ehc.crypto.check_compact, by the key version that the code names (step 3). Raises KeyUnavailable."""
        ...

    def open_compacts(self, payloads: Sequence[str]) -> list[OpenedCompact | None]:
        """Of compact codes: what those say that were made under the active protection key, whatever the time is. What
        this does not find check_compact may. Raises KeyUnavailable."""
        ...

    def mac(self, data: bytes) -> Made:
        """HMAC-SM3 under the MAC key that makes now: 32 bytes."""
        ...

    def check_mac(self, data: bytes, made: Made) -> bool:
        """False for another MAC, and for one of a version that may not check."""
        ...

    def sign(self, message: bytes) -> Made:
        """SM2 signature (GB/T 32918.2, the usual user id) by the signing key that makes now: r ‖ s, 64 bytes."""
        ...

    def verification_keys(self) -> Mapping[int, bytes]:
        """Version -> SM2 public key x ‖ y, 64 bytes, of the signing keys whose signatures hold."""
        ...

    def wrap(self, secret: bytes | bytearray, name: bytes) -> bytes:
        """A secret sealed under the wrapping key that makes now. name: what it is, without which it does not open."""
        ...

    def unwrap(self, wrapped: bytes, name: bytes) -> bytearray:
        """The secret; wipe it. Raises InputError for what was changed, has another name or was wrapped by nobody."""
        ...

    def open_alias(self, alias: bytes, day: int) -> int | None:
        """The account for which an alias (16 bytes) was made on a day since 2020, under whatever protection key may
        check; None: under none. Only for aliases whose signature holds (profile E3). Raises KeyUnavailable."""
        ...


class AccountLookup(Protocol):
    """The part of an account store that the hot state reads."""

    def card(self, card_id: str) -> Card | None: ...

    def card_of_account(self, account: int) -> Card | None: ...

    def cards_of_accounts(self, accounts: Sequence[int]) -> Mapping[int, Card]:
        """Those that there are, in one question."""
        ...


class SerialBlocks(Protocol):
    """Serial numbers of issued codes, durable in blocks: what a crash leaves over is skipped."""

    def take(self, count: int) -> int:
        """First of `count` numbers that nobody else gets, on any node, ever. Raises Unavailable."""
        ...


class Revocations(Protocol):
    """What terminals without network are told. All raise Unavailable."""

    def add(self, serial_name: bytes, until: int, now: int) -> None:
        """A signed code (E3) is revoked; until: its last second. Committed when this returns; again is no error."""
        ...

    def codes(self, now: int) -> Sequence[bytes]:
        """Serial names of the revoked ones that are not over."""
        ...

    def changed(self, since: int) -> Sequence[int]:
        """Accounts to which something happened since, whatever it was."""
        ...


class Questions(NamedTuple):
    """What one place asks about many codes: columns of Question, and the time for which each is asked."""

    cards: Sequence[str | int]
    codes: Sequence[bytes]
    issued_at: Sequence[int]
    until: Sequence[int]
    must_be_issued: Sequence[bool]
    uses: Sequence[int]
    times: Sequence[int]  # may lie hours back
    holder: int = 0
    place: str = ""

    def only(self, rows: Sequence[int]) -> Questions:
        return Questions._make([*([column[n] for n in rows] for column in self[:7]), self.holder, self.place])

    def one(self, n: int) -> Question:
        code = self.codes[n], self.issued_at[n], self.until[n]
        return Question(self.cards[n], *code, self.must_be_issued[n], self.uses[n], self.holder, self.place)


class Answers(NamedTuple):
    """Columns of Answer, row for row of Questions."""

    issued: Sequence[bool]
    cards: Sequence[CardStatus | None]
    claims: Sequence[Claim]


class ShortWay(Protocol):
    """Verification of what is plain and accepted, from a request's body to its answer's, where another request that
    differs in its code alone was answered the long way (ehc.codes.verification), with whose bytes and claim it answers.

    All raise KeyUnavailable and Unavailable.
    """

    def verify(
        self, body: bytes, institution: str | None, now: int, fast: int | None
    ) -> bytes | Awaitable[bytes | None] | None:
        """None: go the long way; nothing was claimed that it does not claim again. institution: the caller's; fast: by
        how many seconds the terminal's clock is, None where it did not say."""
        ...

    def learn(
        self,
        institution: str | None,
        body: bytes,
        payload: str,
        *,
        head: bytes,
        profiles: frozenset[str],
        uses: int,
        holder: int,
        name: str,
        seen: tuple[str, str] | None,
    ) -> None:
        """Bodies that differ from this one in their payload alone need not be decoded from now on.

        head: the answer up to the card's members; profiles: that serve there; holder, name: who claims; seen:
        institution and terminal, or None.
        """
        ...

    def unlearn(self) -> None:
        """What was learned of places holds no longer."""
        ...


class HotState(Protocol):
    """What stands between two requests for the same card: its state, the codes issued for it, who claimed them.

    Every method answers at once or gives something to await; nothing blocks. What was claimed, remembered or revoked
    survives a kill -9 of whoever did it, and is seen by every worker and node from then on. All raise Unavailable.
    """

    def ask(self, question: Question, now: int) -> Answer | Awaitable[Answer]:
        """One question, answered in one step: exactly as many claimants win as may."""
        ...

    def ask_many(self, asked: Questions) -> Answers | Awaitable[Answers]:
        """As ask, one after the other, each at its own time."""
        ...

    def claimant(self, question: Question) -> Claimant | Awaitable[Claimant | None] | None:
        """Who has the code that was asked for; None when nobody has."""
        ...

    def status(self, card: str | int) -> CardStatus | Awaitable[CardStatus | None] | None:
        """Of a card id or an account; may be a second old."""
        ...

    def remember(self, card: str | int, code: bytes, issued_at: int, until: int) -> Awaitable[None] | None:
        """This code was issued for this card. Remembering it again is no error."""
        ...

    def revoke(self, card: str | int, code: bytes, issued_at: int, until: int) -> Awaitable[None] | None:
        """From now on nobody may use this code."""
        ...

    def once(self, what: bytes, since: int, until: int) -> Awaitable[bool] | bool:
        """True for the first who asks this, of all workers and nodes. since, until: seconds, of which asker and what is
        asked say the same; it is remembered at least as long."""
        ...

    def changing(self, card: Card) -> None:
        """Called before and after every change of an account: what is known of its card is forgotten everywhere."""
        ...

    def renew(self, turn: int) -> None:
        """Which card ids are shown and found has changed (cards/rekeying.py): what is known of cards from another turn
        is forgotten."""
        ...

    def shortcut(self, **more: Any) -> ShortWay:
        """Over this state. more: as ehc.crypto.shortcut has it."""
        ...

    def ready(self) -> bool:
        """False: it answers what it can, and says so in its answers. May block."""
        ...

    def close(self) -> None: ...
