"""A caller: an app or an institution that uses the service, and what it may do."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Scope(enum.StrEnum):
    """What a caller may be allowed, one endpoint one scope."""

    VERIFY = "verify"  # check codes
    CODES = "codes"  # issue, draw, revoke codes
    REGISTER = "register"  # register people
    ACCOUNTS_READ = "accounts:read"  # masked
    ACCOUNTS_PLAIN = "accounts:plain"  # documents and names in full: with a stated purpose, each look recorded
    ACCOUNTS_WRITE = "accounts:write"  # modify, suspend, cancel, merge …
    RECORDS_WRITE = "records:write"  # use records (用卡数据)
    INSTITUTIONS_READ = "institutions:read"
    INSTITUTIONS_WRITE = "institutions:write"
    STATISTICS_READ = "statistics:read"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Caller:
    name: str  # unique; stands in logs, events and looks
    scopes: frozenset[Scope]
    institution: str | None = None  # the one it speaks for; None: an app, which may name any


ANYBODY = Caller("", frozenset(Scope))
"""Who calls a service that asks nobody who they are."""
