"""A person as the index shows it: what survives of what its records say (survivorship), field by field.

The rule, for each field by itself: a source that is trusted more says it, then the one that said it last, then the
record with the smaller number. Names of newborns (…之子) yield to any other name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ehc.index.record import FIELDS, Identifier, Record

_NEWBORN = re.compile(r"之(子|女|[大二三]|长|次)|BABY|新生儿", re.IGNORECASE)


class Stored(msgspec.Struct, frozen=True):
    """A record as it is kept. person: where it stands; root: whom everybody sees there."""

    record: int
    person: int
    root: int
    version: int  # number of the event that said it
    at: int  # seconds since 1970
    body: Record


@dataclass(frozen=True, slots=True)
class Survived:
    """What a person's field says, and the record that says so."""

    value: str
    record: int

    def __repr__(self) -> str:
        return f"<Survived of record {self.record}>"


@dataclass(frozen=True, slots=True)
class Person:
    """key: the stable internal number. merged: persons that point here."""

    key: int
    fields: Mapping[str, Survived]
    identifiers: tuple[Identifier, ...]
    records: tuple[Stored, ...]
    merged: tuple[int, ...] = ()

    def value(self, name: str) -> str:
        return self.fields[name].value if name in self.fields else ""


def survive(key: int, records: Sequence[Stored], trust: Mapping[str, int] | None = None) -> Person:
    """trust: source -> how far its word goes, 0 where nothing is said."""
    weigh = trust or {}
    fields = {name: found for name in FIELDS if (found := _field(name, records, weigh)) is not None}
    merged = tuple(sorted({one.person for one in records} - {key}))
    return Person(key, fields, _identifiers(records), tuple(sorted(records, key=lambda one: one.record)), merged)


def _field(name: str, records: Sequence[Stored], trust: Mapping[str, int]) -> Survived | None:
    told = [one for one in records if getattr(one.body, name)]
    if not told:
        return None

    def rank(one: Stored) -> tuple[bool, int, int, int]:
        passing = name == "name" and bool(_NEWBORN.search(one.body.name))
        return not passing, trust.get(one.body.source, 0), one.version, -one.record

    best = max(told, key=rank)
    return Survived(getattr(best.body, name), best.record)


def _identifiers(records: Sequence[Stored]) -> tuple[Identifier, ...]:
    """Each once: good where any record says so, else the latest end; sound where any record has it so."""
    found: dict[tuple[str, str], Identifier] = {}
    for one in (identifier for record in records for identifier in record.body.identifiers):
        known = found.get((one.domain, one.value))
        until = one.until if known is None else _later(known.until, one.until)
        sound = one.sound or (known is not None and known.sound)
        found[one.domain, one.value] = Identifier(one.domain, one.value, sound, until)
    return tuple(found[key] for key in sorted(found))


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
