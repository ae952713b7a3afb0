"""What happened, and what follows from it: the index is the fold of its events, nothing else.

A record stands at one person. A person that is merged points at the one that took it over and keeps its records: so
unmerging is taking the pointer away, and gives back exactly what was there, in whatever order merges are undone.
Where a person's pointers end is its *root*: the person that everybody sees.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from ehc.errors import Conflict, NotFound
from ehc.index.record import Record


class Kind(enum.IntEnum):
    RECORDED = 1  # a record is there, at a person; a person of the record's own number is new
    UPDATED = 2  # a record says something else
    MOVED = 3  # link, unlink: a record stands at `other` now; a person of the event's own number is new
    MERGED = 4  # the person points at `other`
    UNMERGED = 5  # and no longer does
    APART = 6  # somebody said that these two are two persons; no rule merges them
    TOGETHER = 7  # that is taken back


class Event(msgspec.Struct, frozen=True):
    """number: counts up over all events, in the order of commits. record, person, other: numbers, 0 where none."""

    number: int
    at: int  # seconds since 1970
    kind: Kind
    record: int
    person: int
    other: int
    by: str  # who: operator:<name>, a caller, or rule:<name>
    why: str
    body: Record | None = None  # of RECORDED and UPDATED


OWN = -1
"""In place of a number that an event has itself."""


def numbered(
    number: int,
    kind: Kind,
    at: int,
    by: str,
    why: str,
    *,
    record: int = 0,
    person: int = 0,
    other: int = 0,
    body: Record | None = None,
) -> Event:
    """The event under this number. A record, person or other that is OWN is this number too."""
    record = number if record == OWN else record
    person = number if person == OWN else person
    other = number if other == OWN else other
    return Event(number, at, kind, record, person, other, by, why, body)


@dataclass(slots=True)
class State:
    """Present where all events are folded; as it was where those until a moment are."""

    bodies: dict[int, Record] = field(default_factory=dict)
    persons: dict[int, int] = field(default_factory=dict)  # record -> person
    into: dict[int, int] = field(default_factory=dict)  # merged person -> person
    apart: set[tuple[int, int]] = field(default_factory=set)  # smaller number first

    def root(self, person: int) -> int:
        while person in self.into:
            person = self.into[person]
        return person

    def records(self, person: int) -> list[int]:
        """Of a root, in the order of their numbers."""
        return sorted(record for record, at in self.persons.items() if self.root(at) == person)

    def copy(self) -> State:
        return State(dict(self.bodies), dict(self.persons), dict(self.into), set(self.apart))


def pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def apply(state: State, event: Event) -> State:
    """The state after the event, in place. Raises Conflict or NotFound for what cannot happen, and changes nothing."""
    _APPLY[event.kind](state, event)
    return state


def replay(events: Iterable[Event]) -> State:
    state = State()
    for event in events:
        apply(state, event)
    return state


def until(events: Iterable[Event], moment: int) -> Iterator[Event]:
    """Those that had happened by a second."""
    return (event for event in events if event.at <= moment)


def _recorded(state: State, event: Event) -> None:
    if event.record in state.persons or event.body is None:
        raise Conflict("this record is there already")
    state.bodies[event.record], state.persons[event.record] = event.body, event.person


def _updated(state: State, event: Event) -> None:
    _require(event.record in state.persons and event.body is not None, "record")
    assert event.body is not None  # noqa: S101  it was just required
    state.bodies[event.record] = event.body


def _moved(state: State, event: Event) -> None:
    _require(event.record in state.persons, "record")
    if state.persons[event.record] != event.person:
        raise Conflict("the record stands at another person by now: look at it again")
    state.persons[event.record] = event.other


def _merged(state: State, event: Event) -> None:
    if event.person in state.into or event.other in state.into:
        raise Conflict("one of them is merged already: merge the persons that they were merged into")
    if event.person == event.other:
        raise Conflict("a person is not merged with itself")
    state.into[event.person] = event.other


def _unmerged(state: State, event: Event) -> None:
    if state.into.get(event.person) != event.other:
        raise Conflict("this person is not merged into that one")
    del state.into[event.person]


def _apart(state: State, event: Event) -> None:
    state.apart.add(pair(event.person, event.other))


def _together(state: State, event: Event) -> None:
    state.apart.discard(pair(event.person, event.other))


def _require(there: bool, what: str) -> None:
    if not there:
        raise NotFound(f"no such {what}")


_APPLY = {
    Kind.RECORDED: _recorded,
    Kind.UPDATED: _updated,
    Kind.MOVED: _moved,
    Kind.MERGED: _merged,
    Kind.UNMERGED: _unmerged,
    Kind.APART: _apart,
    Kind.TOGETHER: _together,
}
