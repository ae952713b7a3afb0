"""Checks that terminals made while they were offline: the same eight steps, for many at once, each at its own time.

A code is judged by the terminal's clock, put right by what is known of how wrong it is; a check that is too old, or
lies in the future, is not judged. What the terminal refused is not claimed. Of a code that others used before, the
verdict says who and when: the terminal could not know.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import CodeReader, token_code
from ehc.codes.verification import judge
from ehc.codes.visit import holder_of
from ehc.config import Settings
from ehc.crypto import Profiles, Window
from ehc.model import CardStatus, Claimant, Profile, Question, Reason
from ehc.ports import HotState, KeyService

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


class Unjudged(NamedTuple):
    """why: too_late, too_early, clock."""

    why: str


class OfflineVerdict(NamedTuple):
    reason: Reason
    card: CardStatus | None = None  # of an accepted code
    profile: Profile | None = None
    first: Claimant | None = None  # who used a code first that was used before


@dataclass(frozen=True, slots=True)
class LatePolicy:
    seconds: int  # so old may a check be
    drift: int  # seconds: so wrong may a terminal's clock be


def late_policy(settings: Settings) -> LatePolicy:
    return LatePolicy(settings.offline_seconds, settings.offline_drift_seconds)


class OfflineVerifier:
    """Raises KeyUnavailable and Unavailable. The call may be repeated: the same place claims the same code again."""

    def __init__(self, keys: KeyService, hot: HotState, policy: ScenePolicy, late: LatePolicy) -> None:
        self._keys, self._hot, self._policy, self._late = keys, hot, policy, late
        self._reader = CodeReader(keys, policy)
        self._window = Window(_FOREVER, policy.validity, policy.time)
        self._profiles = [Profiles.NATIONAL] + [Profiles.BOUND] * (Profile.A in policy.profiles)

    async def check(self, checks: Sequence[OfflineCheck], where: Offline, now: int) -> list[OfflineVerdict | Unjudged]:
        """Row for row; times in seconds. More than ROWS at once keep all others waiting."""
        if abs(where.drift) > self._late.drift:
            return [Unjudged("clock")] * len(checks)
        found, asking = self._plan(checks, where, now)
        asked = self._hot.ask_many([row[1] for row in asking], [row[2] for row in asking])
        answers = asked if isinstance(asked, list) else await asked
        for (n, question, at, reason, profile, allowed, disabled), answer in zip(asking, answers, strict=True):
            reached = judge(reason, answer, at, allowed=allowed, disabled=disabled)
            if reached is Reason.ACCEPTED:
                found[n] = OfflineVerdict(reached, answer.card, profile)
            elif reached is Reason.REPLAYED:
                found[n] = OfflineVerdict(reached, first=await self._first(question))
            else:
                found[n] = _REFUSED[reached]
        return found

    def _plan(
        self, checks: Sequence[OfflineCheck], where: Offline, now: int
    ) -> tuple[list[OfflineVerdict | Unjudged], list[_Asking]]:
        """What is found already, and what is to be asked."""
        place, drift, disabled_at = where
        oldest, newest, holder = now - self._late.seconds, now + self._policy.tolerance, holder_of(place)
        found: list[OfflineVerdict | Unjudged] = [_TOO_LATE] * len(checks)
        tokens, rules, asking = self._tokens(checks), _Rules(self._policy), []
        for n, check in enumerate(checks):
            at = check.at - drift
            if not oldest <= at <= newest:
                found[n] = _TOO_LATE if at < oldest else _TOO_EARLY
                continue
            reason, profile, card, code, issued_at, until, unknown = self._read(check.payload, at, tokens.get(n))
            if reason not in _FOUND:
                found[n] = _REFUSED[reason]
                continue
            allowed, uses = rules[check.scene, profile]
            disabled = disabled_at is not None and at >= disabled_at
            if not check.accepted or disabled or reason is not Reason.ACCEPTED:
                uses = 0
            question = Question(card, code, issued_at, until, unknown, uses, holder, place)
            asking.append((n, question, at, reason, profile, allowed and not disabled, disabled))
        return found, asking

    def _read(self, payload: str, at: int, token: tuple[Profile, int] | None) -> _Told:
        """token: its profile and expiry, where it is known to be authentic."""
        if token is None:
            one = self._reader.read(payload, at)
            unknown = one.remembered and not self._policy.accept_unissued
            return one.verdict.reason, one.profile, one.card, one.code, one.issued_at, one.until, unknown
        profile, expiry = token
        bound, validity, tolerance = profile is Profile.A, self._policy.validity, self._policy.tolerance
        late, early = at > expiry + tolerance, expiry > at + validity + tolerance
        reason = Reason.EXPIRED if late else Reason.EARLY if early else Reason.ACCEPTED
        card_id = payload[:64].upper()
        code, unknown = token_code(card_id, payload[67:], bound=bound), not bound and not self._policy.accept_unissued
        return reason, profile, card_id, code, expiry - validity, expiry, unknown

    def _tokens(self, checks: Sequence[OfflineCheck]) -> dict[int, tuple[Profile, int]]:
        """Profile and expiry of the rows of the usual form whose token is authentic under the active key."""
        found: dict[int, tuple[Profile, int]] = {}
        usual = [n for n, check in enumerate(checks) if len(check.payload) == 99 and check.payload[64:67] == ":0:"]
        for profile, name in zip(self._profiles, (Profile.N, Profile.A), strict=False):
            if usual:
                tokens = self._keys.check_tokens([checks[n].payload for n in usual], profile, self._window)
                found.update({n: (name, at) for n, is_so, at in zip(usual, *tokens, strict=True) if is_so})
                usual = [n for n, is_so in zip(usual, tokens.found, strict=True) if not is_so]
        return found

    async def _first(self, question: Question) -> Claimant | None:
        found = self._hot.claimant(question)
        return await found if isinstance(found, Awaitable) else found


_TOO_LATE, _TOO_EARLY = Unjudged("too_late"), Unjudged("too_early")
_FOUND = (Reason.ACCEPTED, Reason.NO_TOKEN, Reason.EXPIRED, Reason.EARLY)

_REFUSED = {reason: OfflineVerdict(reason) for reason in Reason}

_Asking = tuple[int, Question, int, Reason, Profile, bool, bool]
"""Row, question, time; by 1 to 5; profile; by 7: allowed, disabled."""

_Told = tuple[Reason, Profile, str | int, bytes, int, int, bool]
"""By 1 to 5; then as Read has them; whether only codes that are remembered count."""


class _Rules(dict[tuple[str, Profile], tuple[bool, int]]):
    """Whether a scene takes codes of a profile, and how many may use one."""

    def __init__(self, policy: ScenePolicy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, key: tuple[str, Profile]) -> tuple[bool, int]:
        allowed = self._policy.allows(*key)
        self[key] = rule = allowed, self._policy.uses(key[0]) if allowed else 0
        return rule
