"""Checks that terminals made while they were offline: the same eight steps, for many at once, each at its own time.

A code is judged by the terminal's clock, put right by what is known of how wrong it is; a check that is too old, or
lies in the future, is not judged. What the terminal refused is not claimed. Of a code that others used before, the
verdict says who and when: the terminal could not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

from msgspec import Struct

from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import COMPACT, SEALED, CodeReader, compact_end, token_code
from ehc.codes.verification import judge
from ehc.codes.visit import holder_of
from ehc.config import Settings
from ehc.crypto import Profiles, Window
from ehc.crypto.shortcut import OfflineShortcut
from ehc.model import CardStatus, Claimant, Profile, Question, Reason
from ehc.ports import Answers, HotState, KeyService, Questions

ROWS = 512
"""Judged in one go: a few milliseconds for which nothing else is served."""

_FOREVER = 100 * 365 * 86_400


class OfflineCheck(Protocol):
    """One check. at: seconds since 1970 by the terminal's clock; accepted: what the terminal said."""

    @property
    def payload(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def scene(self) -> str: ...
    @property
    def accepted(self) -> bool: ...


class Offline(NamedTuple):
    """Where and when the checks of one call were made."""

    place: str  # institution and terminal
    drift: int = 0  # seconds that the terminal's clock is fast
    disabled_at: int | None = None  # from then on it might check no codes


class Unjudged(Struct, frozen=True, gc=False):
    """why: too_late, too_early, clock."""

    why: str


class OfflineVerdict(Struct, frozen=True, gc=False):
    reason: Reason
    card: CardStatus | None = None  # of an accepted code
    profile: Profile | None = None
    first: Claimant | None = None  # who used a code first that was used before


def accepted(card: CardStatus | None, profile: Profile) -> OfflineVerdict:
    return OfflineVerdict(_ACCEPTED, card, profile)


def counted(found: Sequence[OfflineVerdict | Unjudged]) -> Counter[str]:
    """reason, or why a check was not judged -> how many. As columns: half the time of a step of Python a row."""
    reasons = Counter([one.reason for one in found if isinstance(one, OfflineVerdict)])
    whys = Counter([one.why for one in found if isinstance(one, Unjudged)])
    return Counter({reason.value: count for reason, count in reasons.items()} | whys)


@dataclass(frozen=True, slots=True)
class LatePolicy:
    seconds: int  # so old may a check be
    drift: int  # seconds: so wrong may a terminal's clock be


def late_policy(settings: Settings) -> LatePolicy:
    return LatePolicy(settings.offline_seconds, settings.offline_drift_seconds)


class OfflineVerifier:
    """Raises KeyUnavailable and Unavailable. The call may be repeated: the same place claims the same code again.

    accepting: judges what is accepted in one native call, where this process itself holds keys and hot state.
    """

    def __init__(
        self,
        keys: KeyService,
        hot: HotState,
        policy: ScenePolicy,
        late: LatePolicy,
        accepting: OfflineShortcut | None = None,
    ) -> None:
        self._keys, self._hot, self._policy, self._late, self._accepting = keys, hot, policy, late, accepting
        self._reader = CodeReader(keys, policy)
        self._window = Window(_FOREVER, policy.validity, policy.time)
        self._takes_compact = Profile.E2 in policy.profiles
        self._profiles = [Profiles.NATIONAL] + [Profiles.BOUND] * (Profile.A in policy.profiles)

    async def check(self, checks: Sequence[OfflineCheck], where: Offline, now: int) -> list[OfflineVerdict | Unjudged]:
        """Row for row; times in seconds. More than ROWS at once keep all others waiting."""
        if abs(where.drift) > self._late.drift:
            return [Unjudged("clock")] * len(checks)
        if self._accepting is None or where.disabled_at is not None:
            return await self._judge(checks, where, now)
        found = self._accept(self._accepting, checks, where, now)
        rest = [n for n, one in enumerate(found) if one is None]
        judged = await self._judge([checks[n] for n in rest], where, now) if rest else []
        for n, one in zip(rest, judged, strict=True):
            found[n] = one
        return cast(list[OfflineVerdict | Unjudged], found)

    def _accept(
        self, accepting: OfflineShortcut, checks: Sequence[OfflineCheck], where: Offline, now: int
    ) -> list[OfflineVerdict | Unjudged | None]:
        """None for what goes the long way; nothing of it is claimed."""
        oldest, newest = self._judged_from_to(now)
        place = where.place
        return accepting.accept(checks, where.drift, now, oldest, newest, _Rules(self._policy), holder_of(place), place)

    def _judged_from_to(self, now: int) -> tuple[int, int]:
        return now - self._late.seconds, now + self._policy.tolerance

    async def _judge(self, checks: Sequence[OfflineCheck], where: Offline, now: int) -> list[OfflineVerdict | Unjudged]:
        """The long way."""
        found, rows = self._plan(checks, where, now)
        if not rows:
            return found
        ns, reasons, profiles, allowed, disabled, *columns = zip(*rows, strict=True)
        asked = Questions._make([*columns, holder_of(where.place), where.place])
        answer = self._hot.ask_many(asked)
        answers = answer if isinstance(answer, Answers) else await answer
        judged = map(judge, reasons, *answers, asked.times, allowed, disabled)
        for i, (n, reason, card, profile) in enumerate(zip(ns, judged, answers.cards, profiles, strict=True)):
            if reason is _ACCEPTED:
                found[n] = accepted(card, profile)
            elif reason is Reason.REPLAYED:
                found[n] = OfflineVerdict(reason, first=await self._first(asked.one(i)))
            else:
                found[n] = _REFUSED[reason]
        return found

    def _plan(
        self, checks: Sequence[OfflineCheck], where: Offline, now: int
    ) -> tuple[list[OfflineVerdict | Unjudged], list[_Row]]:
        """What is found already, and what is to be asked."""
        _, drift, disabled_at = where
        tolerance = self._policy.tolerance
        oldest, newest = self._judged_from_to(now)
        found: list[OfflineVerdict | Unjudged] = [_TOO_LATE] * len(checks)
        rules, rows = _Rules(self._policy), []
        for n, (check, known) in enumerate(zip(checks, self._known(checks), strict=True)):
            at = check.at - drift
            if not oldest <= at <= newest:
                found[n] = _TOO_LATE if at < oldest else _TOO_EARLY
                continue
            reason, read = (None, known) if known else self._read(check.payload, at)
            profile, card, code, issued_at, until, unknown = read
            if reason is None:
                reason = _EXPIRED if at > until + tolerance else _EARLY if issued_at > at + tolerance else _ACCEPTED
            elif reason not in _FOUND:
                found[n] = _REFUSED[reason]
                continue
            allowed, uses = rules[check.scene, profile]
            disabled = disabled_at is not None and at >= disabled_at
            if disabled or reason is not _ACCEPTED or not check.accepted:
                uses = 0
            of_policy = (n, reason, profile, allowed and not disabled, disabled)
            rows.append((*of_policy, card, code, issued_at, until, unknown, uses, at))
        return found, rows

    def _read(self, payload: str, at: int) -> tuple[Reason, _Known]:
        """By 1 to 5."""
        one = self._reader.read(payload, at)
        unknown = one.remembered and not self._policy.accept_unissued
        return one.verdict.reason, (one.profile, one.card, one.code, one.issued_at, one.until, unknown)

    def _known(self, checks: Sequence[OfflineCheck]) -> list[_Known | None]:
        """What the rows say that are of a usual form and authentic under the active key."""
        texts = [check.payload for check in checks]
        found: list[_Known | None] = [None] * len(texts)
        if self._takes_compact and (rows := [n for n, text in enumerate(texts) if text[:5] == COMPACT]):
            for n, one in zip(rows, self._keys.open_compacts([texts[n] for n in rows]), strict=True):
                found[n] = None if one is None else _compact(*one)
        rows = [n for n, text in enumerate(texts) if len(text) == 99 and text[64:67] == ":0:"]
        for profile, name in zip(self._profiles, (Profile.N, Profile.A), strict=False):
            if rows:
                tokens = self._keys.check_tokens([texts[n] for n in rows], profile, self._window)
                for n, is_so, until in zip(rows, *tokens, strict=True):
                    found[n] = self._token(texts[n], name, until) if is_so else None
                rows = [n for n in rows if found[n] is None]
        return found

    def _token(self, payload: str, profile: Profile, until: int) -> _Known:
        card_id, bound, policy = payload[:64].upper(), profile is Profile.A, self._policy
        code, unknown = token_code(card_id, payload[67:], bound=bound), not bound and not policy.accept_unissued
        return profile, card_id, code, until - policy.validity, until, unknown

    async def _first(self, question: Question) -> Claimant | None:
        found = self._hot.claimant(question)
        return await found if isinstance(found, Awaitable) else found


_TOO_LATE, _TOO_EARLY = Unjudged("too_late"), Unjudged("too_early")
_ACCEPTED, _EXPIRED, _EARLY, _E2 = Reason.ACCEPTED, Reason.EXPIRED, Reason.EARLY, Profile.E2  # no cheap look-ups
_FOUND = (_ACCEPTED, Reason.NO_TOKEN, _EXPIRED, _EARLY)

_REFUSED = {reason: OfflineVerdict(reason) for reason in Reason}

_Row = tuple[int, Reason, Profile, bool, bool, str | int, bytes, int, int, bool, int, int]
"""Which one; by 1 to 5; profile; by 7: allowed, disabled; then as the columns of Questions."""

_Known = tuple[Profile, str | int, bytes, int, int, bool]
"""As Read has them; whether only codes that are remembered count."""


def _compact(account: int, issued_at: int, expiry: int | None, serial_name: bytes) -> _Known:
    return _E2, account, SEALED + serial_name, issued_at, compact_end(issued_at, expiry), False


class _Rules(dict[tuple[str, Profile], tuple[bool, int]]):
    """Whether a scene takes codes of a profile, and how many may use one."""

    def __init__(self, policy: ScenePolicy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, key: tuple[str, Profile]) -> tuple[bool, int]:
        allowed = self._policy.allows(*key)
        self[key] = rule = allowed, self._policy.uses(key[0]) if allowed else 0
        return rule
