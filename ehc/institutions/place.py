"""An institution (医疗机构), its departments (科室) and terminals (终端), and what a store of them must do."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar


class Channel(enum.StrEnum):
    """终端类型; the value domain of the field."""

    WINDOW = "01"  # 人工窗口
    MACHINE = "02"  # 自助机
    OTHER = "99"  # 其他


@dataclass(frozen=True, slots=True)
class Institution:
    code: str  # unique; never given to another one
    name: str
    region: str  # GB/T 2260, six digits
    kind: str  # WS 218: a letter, with or without the digits after it
    registered_at: int  # seconds since 1970, as all times
    disabled_at: int | None = None  # None: it is enabled


@dataclass(frozen=True, slots=True)
class Department:
    institution: str
    code: str  # unique in its institution
    name: str
    registered_at: int
    disabled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    institution: str
    code: str  # unique in its institution
    channel: Channel
    department: str | None
    registered_at: int
    disabled_at: int | None = None
    last_seen: int | None = None
    clock_drift: int | None = None  # seconds that its clock was ahead when it last said its time


Place = Institution | Department | Terminal
P = TypeVar("P", Institution, Department, Terminal)
Part = TypeVar("Part", Department, Terminal)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different; what is not named stays."""

    fields: Mapping[str, str | None] = field(default_factory=dict)
    enabled: bool | None = None  # None: as it is


class PlaceEvent(NamedTuple):
    """What happened to an institution or a part of it."""

    at: int
    part: str  # institution, department, terminal
    code: str
    what: str  # registered, modified, enabled, disabled
    by: str


class Sighting(NamedTuple):
    """A terminal was there."""

    institution: str
    terminal: str
    at: int
    clock_drift: int | None  # None: it did not say its time


class PlaceStore(Protocol):
    """Places and their history. What a method returned is committed. All raise Unavailable.

    key: the institution's code; of a department or a terminal, also its own.
    """

    def add(self, place: Place, by: str) -> None:
        """Raises Conflict when the code is taken, also by a disabled one; NotFound without its institution."""
        ...

    def change(self, kind: type[P], key: Sequence[str], change: Change, now: int, by: str) -> P:
        """Raises NotFound. Who is disabled again keeps the first time."""
        ...

    def find(self, kind: type[P], *key: str) -> P | None: ...

    def institutions(self, region: str, after: str, limit: int) -> Sequence[Institution]:
        """Of a region (its first digits), by code, those after a code."""
        ...

    def within(self, kind: type[Part], institution: str, after: str, limit: int) -> Sequence[Part]:
        """Its departments or terminals, by code."""
        ...

    def history(self, institution: str) -> Sequence[PlaceEvent]:
        """In the order in which it happened."""
        ...

    def changes(self) -> int:
        """Another number after every disabling and enabling."""
        ...

    def disabled(self) -> Sequence[tuple[str, str]]:
        """Institution and terminal, "" for an institution as a whole, of all that are disabled."""
        ...

    def seen(self, sightings: Iterable[Sighting]) -> None:
        """Of terminals that are registered; others, and what is older than what is known, change nothing."""
        ...
