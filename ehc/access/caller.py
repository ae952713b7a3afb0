"""A caller: an app or an institution that uses the service, what it may do, and the key that it shows."""

from __future__ import annotations

import base64
import enum
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ehc.errors import InputError

KEY_BYTES = 32
PREFIX = "ehc_"  # so that a key that got out is recognised, by people and by scanners for secrets
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


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
    KEYS_READ = "keys:read"  # how a re-keying stands; no key
    METRICS = "metrics"
    APPS_READ = "apps:read"  # SDKs, apps, grants: see them
    APPS_WRITE = "apps:write"  # and change them
    REGISTRY_READ = "registry:read"  # physical cards, masked
    REGISTRY_WRITE = "registry:write"  # register them, change their state
    REGISTRY_SYNC = "registry:sync"  # another registry: all physical cards in full, both ways
    INDEX_READ = "index:read"  # people of the master index in full: with a stated purpose, each look recorded
    INDEX_WRITE = "index:write"  # records of sources, merges by hand
    INDEX_EVENTS = "index:events"  # what happened in it, by number
    INDEX_REVIEW = "index:review"  # readers' tasks
    SDK = "sdk"  # what an app needs for itself: SDKs, its keys and licence, the debugger


@dataclass(frozen=True, slots=True)
class Caller:
    name: str  # unique; stands in logs, events and looks
    scopes: frozenset[Scope]
    institution: str | None = None  # the one it speaks for; None: an app, which may name any
    rate: int | None = None  # requests a second; None: what the settings say


ANYBODY = Caller("", frozenset(Scope))
"""Who calls a service that asks nobody who they are."""


@dataclass(frozen=True, slots=True)
class CallerKey:
    """A key that may be shown, and by whom. The key itself is not kept."""

    digest: bytes  # 32
    caller: Caller
    ends_at: int | None = None  # from this second it is refused, as all times here; None: not yet replaced


@dataclass(frozen=True, slots=True)
class RegisteredCaller:
    """A caller as an administrator sees it."""

    caller: Caller
    created_at: int
    revoked_at: int | None
    keys: int  # that are accepted now


class CallerStore(Protocol):
    """Callers, and who looked at whom. What a method returned is committed. All raise Unavailable."""

    def add(self, caller: Caller, digest: bytes, now: int) -> None:
        """Raises Conflict when the name is taken, also by a revoked one: a name means one caller for ever."""
        ...

    def rotate(self, name: str, digest: bytes, now: int, old_until: int) -> None:
        """Another key; those there are end at old_until. Raises NotFound, Conflict for a revoked caller."""
        ...

    def revoke(self, name: str, now: int) -> None:
        """No key of it is accepted any more. Raises NotFound."""
        ...

    def all(self, now: int) -> Sequence[RegisteredCaller]:
        """By name, revoked ones too."""
        ...

    def version(self) -> int:
        """Another number after every change; 0 exactly while there has never been a caller."""
        ...

    def keys(self, now: int) -> Sequence[CallerKey]:
        """All that may be shown now or may have to be refused later."""
        ...


def new_caller(name: str, scopes: Iterable[str], institution: str | None = None, rate: int | None = None) -> Caller:
    """Raises InputError that says what is wrong and what there is."""
    if not NAME.fullmatch(name):
        raise InputError(
            "caller: a name has 1 to 64 letters, digits, dots, dashes and underscores, none of . - _ first"
        )
    if institution is not None and not NAME.fullmatch(institution):
        raise InputError("institution: 1 to 64 letters, digits, dots, dashes and underscores")
    if rate is not None and rate < 1:
        raise InputError("rate: at least 1 request a second")
    wanted = list(scopes)
    unknown = sorted(set(wanted) - {scope.value for scope in Scope})
    if unknown or not wanted:
        raise InputError(f"scope: {', '.join(unknown) or 'none given'}; there are {', '.join(Scope)}")
    return Caller(name, frozenset(map(Scope, wanted)), institution, rate)


def key_of(random: bytes) -> str:
    """The text of a key: KEY_BYTES random bytes, readable in a header."""
    return PREFIX + base64.urlsafe_b64encode(random).rstrip(b"=").decode()


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
