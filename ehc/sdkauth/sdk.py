"""A release of an SDK (3.9): what it is, its life, which versions a grant means.

    draft ──► review ──► published ◄──► deprecated
      ▲          │            │             │
      └──────────┘            └──► revoked ◄┘      (and from draft and review too)

Its file may change in draft alone. What is published is signed by this system: whoever downloads it can check it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from semver import Version

from ehc.errors import Conflict, InputError
from ehc.sdkauth.act import Act

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_PLATFORM = re.compile(r"[0-9a-z][0-9a-z._-]{0,31}")
_COMPARATOR = re.compile(r"(<=|>=|<|>|=)?([0-9]\S*)")
MOST_BYTES = 64 << 20


class SdkState(enum.StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"  # goes on working; whoever uses it is told
    REVOKED = "revoked"  # refused from the next second on, for ever


NEXT: Mapping[SdkState, frozenset[SdkState]] = {
    SdkState.DRAFT: frozenset({SdkState.REVIEW, SdkState.REVOKED}),
    SdkState.REVIEW: frozenset({SdkState.DRAFT, SdkState.PUBLISHED, SdkState.REVOKED}),
    SdkState.PUBLISHED: frozenset({SdkState.DEPRECATED, SdkState.REVOKED}),
    SdkState.DEPRECATED: frozenset({SdkState.PUBLISHED, SdkState.REVOKED}),
    SdkState.REVOKED: frozenset(),
}
USABLE = frozenset({SdkState.PUBLISHED, SdkState.DEPRECATED})


class SdkId(NamedTuple):
    name: str
    version: str
    platform: str

    def __str__(self) -> str:
        """As X-Sdk has it."""
        return "/".join(self)


@dataclass(frozen=True, slots=True)
class Sdk:
    id: SdkId
    state: SdkState
    created_at: int
    note: str = ""
    size: int | None = None  # bytes; None: no file yet
    digest: bytes | None = None  # SM3 of the file
    signature: bytes | None = None  # SM2, of release_text, since it was published
    signed_by: int | None = None  # version of the key of this system


class Release(NamedTuple):
    """What publishing adds."""

    signature: bytes
    signed_by: int


class SdkStore(Protocol):
    """What a method returned is committed. All raise Unavailable; what is not there is NotFound."""

    def add(self, sdk: Sdk, act: Act) -> None:
        """Raises Conflict where this release is there already."""
        ...

    def find(self, id: SdkId) -> Sdk: ...

    def all(self, name: str | None = None) -> Sequence[Sdk]:
        """By name, platform and version's text."""
        ...

    def put_file(self, id: SdkId, parts: Iterable[bytes], digest: bytes, size: int, act: Act) -> Sdk:
        """In place of the one that was there. Raises Conflict for one that is no draft."""
        ...

    def file(self, id: SdkId) -> Iterable[bytes]:
        """Part by part."""
        ...

    def move(self, id: SdkId, old: SdkState, new: SdkState, release: Release | None, act: Act) -> Sdk:
        """Raises Conflict when it is in `old` no more."""
        ...


def sdk_id(name: str, version: str, platform: str) -> SdkId:
    """Raises InputError that names the field."""
    if not _NAME.fullmatch(name):
        raise InputError("name: 1 to 64 letters, digits, dots, dashes and underscores, none of . - _ first")
    if not _PLATFORM.fullmatch(platform):
        raise InputError("platform: 1 to 32 small letters, digits, dots, dashes and underscores, such as android")
    if len(version) > 64 or str(version_of(version)) != version:
        raise InputError("version: a semantic version of at most 64 characters, such as 1.4.0")
    return SdkId(name, version, platform)


def parse_id(text: str) -> SdkId:
    """NAME/VERSION/PLATFORM. Raises InputError."""
    parts = text.split("/")
    if len(parts) != 3:
        raise InputError("X-Sdk: NAME/VERSION/PLATFORM, such as ehc-client/1.4.0/android")
    return sdk_id(*parts)


@lru_cache(1024)
def version_of(text: str) -> Version:
    """Raises InputError."""
    try:
        return Version.parse(text)
    except ValueError:
        raise InputError(f"version: {text[:64]!r} is no semantic version, such as 1.4.0") from None


def versions_of(text: str) -> str:
    """A range of versions in its one spelling: `*`, or comparators that must all hold. Raises InputError."""
    words = text.replace(",", " ").split()
    if words == ["*"]:
        return "*"
    found = [_COMPARATOR.fullmatch(word) for word in words]
    if not found or len(text) > 100:
        raise InputError("versions: * or comparators, such as >=1.2.0 <2.0.0")
    for word, match in zip(words, found, strict=True):
        if match is None:
            raise InputError(f"versions: {word!r} is no comparator, such as >=1.2.0")
        version_of(match[2])
    return " ".join(words)


def is_in(version: str, versions: str) -> bool:
    """versions: of versions_of. As semver orders them: a pre-release comes before its release."""
    return versions == "*" or all(_holds(version, word) for word in versions.split())


def _holds(version: str, comparator: str) -> bool:
    found = _COMPARATOR.fullmatch(comparator)
    if found is None:
        return False
    order = version_of(version).compare(found[2])
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}.get(found[1], order == 0)


def require_next(sdk: Sdk, state: SdkState) -> None:
    """Raises Conflict that says what may come next."""
    allowed = NEXT[sdk.state]
    if state not in allowed:
        after = ", ".join(sorted(allowed)) or "nothing"
        raise Conflict(f"{sdk.id} is {sdk.state.value}: {after} may come next, not {state.value}")
    if state is SdkState.REVIEW and sdk.digest is None:
        raise Conflict(f"{sdk.id} has no file: upload it before it is reviewed")


def release_text(id: SdkId, digest: bytes) -> bytes:
    """What this system signs of a release. No part of an id has a line break in it."""
    return "\n".join(("ehc sdk release v1", *id, digest.hex().upper())).encode()
