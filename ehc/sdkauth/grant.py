"""A grant: what an app may do, with which SDK, for whom, when, and how often. What no grant allows is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ehc.access.caller import Scope
from ehc.errors import InputError
from ehc.model import CST
from ehc.sdkauth.sdk import SdkId, is_in, versions_of

_PLACE = re.compile(r"[0-9A-Za-z._-]{1,64}")
_NAME = re.compile(r"\*|[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
MOST_INSTITUTIONS = 1000

Period = Literal["day", "month", "whole"]


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests a day or a month (of China's clock), or in all."""

    requests: int
    period: Period = "day"

    def number(self, now: int) -> int:
        """Of the period that this second is in: whatever worker asks gets the same."""
        at = datetime.fromtimestamp(now, CST)
        return {"day": at.toordinal(), "month": at.year * 12 + at.month, "whole": 0}[self.period]

    def wait(self, now: int) -> int:
        """Seconds until the next period; a day for one that never ends."""
        at = datetime.fromtimestamp(now, CST)
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        ends = {
            "day": midnight + timedelta(days=1),
            "month": (midnight.replace(day=1) + timedelta(days=32)).replace(day=1),
            "whole": at + timedelta(days=1),
        }[self.period]
        return max(1, int((ends - at).total_seconds()))


@dataclass(frozen=True, slots=True)
class Grant:
    app: str
    sdk: str  # its name; * for all
    versions: str  # sdk.versions_of
    scopes: frozenset[Scope]
    institutions: frozenset[str] | None  # None: whichever
    begins_at: int
    ends_at: int  # from this second it is over
    quota: Quota | None = None
    number: int = 0  # the store's
    revoked_at: int | None = None


def new_grant(
    app: str,
    sdk: str,
    versions: str,
    scopes: Iterable[str],
    institutions: Sequence[str] | None,
    *,
    begins_at: int,
    ends_at: int,
    quota: Quota | None = None,
) -> Grant:
    """Raises InputError that names the field."""
    wanted = set(scopes)
    unknown = sorted(wanted - {scope.value for scope in Scope})
    if unknown or not wanted:
        raise InputError(f"scopes: {', '.join(unknown) or 'none given'}; there are {', '.join(Scope)}")
    if not _NAME.fullmatch(sdk):
        raise InputError("sdk: the name of an SDK, or *")
    if institutions is not None and not 1 <= len(institutions) <= MOST_INSTITUTIONS:
        raise InputError(f"institutions: 1 to {MOST_INSTITUTIONS}; leave it out for all")
    if not all(_PLACE.fullmatch(one) for one in institutions or ()):
        raise InputError("institutions: 1 to 64 letters, digits, dots, dashes and underscores each")
    if not 0 <= begins_at < ends_at <= 1 << 40:
        raise InputError("ends_at: after begins_at")
    if quota is not None and not 1 <= quota.requests <= 1 << 50:
        raise InputError("quota: at least 1 request")
    places = None if institutions is None else frozenset(institutions)
    return Grant(app, sdk, versions_of(versions), frozenset(map(Scope, wanted)), places, begins_at, ends_at, quota)


def lacks(grant: Grant, sdk: SdkId, scope: Scope, institution: str | None, now: int) -> str | None:
    """Why this grant does not allow it, in the words of who asks; None where it does."""
    if grant.revoked_at is not None:
        return "it was revoked"
    if not grant.begins_at <= now < grant.ends_at:
        return "its time has not come" if now < grant.begins_at else "its time is over"
    if grant.sdk not in ("*", sdk.name) or not is_in(sdk.version, grant.versions):
        return f"it is for {grant.sdk} {grant.versions}"
    if scope not in grant.scopes:
        return f"it has not the scope {scope.value}"
    if grant.institutions is not None and institution not in grant.institutions:
        return "it is not for this institution" if institution else "it is for some institutions: send X-Institution"
    return None


def speaks_for(grant: Grant, institution: str | None) -> str | None:
    """The institution of a request under this grant: the one it names, or the only one there is."""
    if institution is None and grant.institutions is not None and len(grant.institutions) == 1:
        return next(iter(grant.institutions))
    return institution
