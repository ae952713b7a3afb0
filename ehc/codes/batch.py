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
from ehc.codes.reading import COMPACT, SEALED, CodeReader, compact_end, token_code
from ehc.codes.verification import judge
from ehc.codes.visit import holder_of
from ehc.config import Settings
from ehc.crypto import OpenedCompact, Profiles, Window
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
        self._takes_compact = Profile.E2 in policy.profiles
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
        known, rules, asking = self._known(checks), _Rules(self._policy), []
        for n, check in enumerate(checks):
            at = check.at - drift
            if not oldest <= at <= newest:
                found[n] = _TOO_LATE if at < oldest else _TOO_EARLY
                continue
            reason, profile, card, code, issued_at, until, unknown = self._read(check.payload, at, known.get(n))
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

    def _read(self, payload: str, at: int, known: _Known | None) -> _Told:
        """known: what it says, where it is known to be authentic."""
        if known is None:
            one = self._reader.read(payload, at)
            unknown = one.remembered and not self._policy.accept_unissued
            return one.verdict.reason, one.profile, one.card, one.code, one.issued_at, one.until, unknown
        issued_at, until, tolerance = known[3], known[4], self._policy.tolerance
        late, early = at > until + tolerance, issued_at > at + tolerance
        return Reason.EXPIRED if late else Reason.EARLY if early else Reason.ACCEPTED, *known

    def _known(self, checks: Sequence[OfflineCheck]) -> dict[int, _Known]:
        """What the rows say that are of a usual form and authentic under the active key."""
        found = dict[int, _Known]()
        if self._takes_compact and (rows := [n for n, check in enumerate(checks) if check.payload[:5] == COMPACT]):
            opened = self._keys.open_compacts([checks[n].payload for n in rows])
            found.update({n: _compact(one) for n, one in zip(rows, opened, strict=True) if one is not None})
        rows = [n for n, check in enumerate(checks) if len(check.payload) == 99 and check.payload[64:67] == ":0:"]
        for profile, name in zip(self._profiles, (Profile.N, Profile.A), strict=False):
            if rows:
                tokens = self._keys.check_tokens([checks[n].payload for n in rows], profile, self._window)
                told = zip(rows, *tokens, strict=True)
                found.update({n: self._token(checks[n].payload, name, until) for n, is_so, until in told if is_so})
                rows = [n for n in rows if n not in found]
        return found

    def _token(self, payload: str, profile: Profile, until: int) -> _Known:
        card_id, bound, policy = payload[:64].upper(), profile is Profile.A, self._policy
        code, unknown = token_code(card_id, payload[67:], bound=bound), not bound and not policy.accept_unissued
        return profile, card_id, code, until - policy.validity, until, unknown

    async def _first(self, question: Question) -> Claimant | None:
        found = self._hot.claimant(question)
        return await found if isinstance(found, Awaitable) else found


_TOO_LATE, _TOO_EARLY = Unjudged("too_late"), Unjudged("too_early")
_FOUND = (Reason.ACCEPTED, Reason.NO_TOKEN, Reason.EXPIRED, Reason.EARLY)

_REFUSED = {reason: OfflineVerdict(reason) for reason in Reason}

_Asking = tuple[int, Question, int, Reason, Profile, bool, bool]
"""Row, question, time; by 1 to 5; profile; by 7: allowed, disabled."""

_Known = tuple[Profile, str | int, bytes, int, int, bool]
"""As Read has them; whether only codes that are remembered count."""

_Told = tuple[Reason, Profile, str | int, bytes, int, int, bool]
"""By 1 to 5, then as _Known."""


def _compact(one: OpenedCompact) -> _Known:
    account, issued_at, expiry, serial_name = one
    return Profile.E2, account, SEALED + serial_name, issued_at, compact_end(issued_at, expiry), False


class _Rules(dict[tuple[str, Profile], tuple[bool, int]]):
    """Whether a scene takes codes of a profile, and how many may use one."""

    def __init__(self, policy: ScenePolicy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, key: tuple[str, Profile]) -> tuple[bool, int]:
        allowed = self._policy.allows(*key)
        self[key] = rule = allowed, self._policy.uses(key[0]) if allowed else 0
        return rule
