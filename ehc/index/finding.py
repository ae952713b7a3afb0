"""Looking persons up: by identifier, by key, at a moment, by what is known of them; and from one domain to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ehc.errors import InputError, NotFound
from ehc.index.domain import Domain, Domains, sound_value
from ehc.index.history import Event, Kind, replay, until
from ehc.index.index_store import IndexStore
from ehc.index.keys import blocks, identifier_key, keys_of
from ehc.index.matching import Match, matches
from ehc.index.names import latin
from ehc.index.person import Person, Stored, survive
from ehc.index.record import Identifier, Record
from ehc.index.rulebook import Rulebook

ENOUGH = "say an identifier, or name and birth date, name and phone, name and address, or birth date and phone"


class Finder:
    """All raise Unavailable. trust: source -> how far its word goes (person.survive)."""

    def __init__(self, store: IndexStore, rulebook: Rulebook, trust: Mapping[str, int] | None = None) -> None:
        self._store, self._book, self._trust = store, rulebook, trust or {}

    def person(self, key: int) -> Person:
        """A merged person's key finds whom it was merged into. Raises NotFound."""
        root = self._store.root(key)
        return self._survive(root, self._store.cluster(root))

    def person_at(self, key: int, moment: int) -> Person:
        """As it was at the end of a second. Raises NotFound for who was not there yet."""
        events = list(until(self._store.history(key), moment))
        state = replay(events)
        root = state.root(key)
        records = [_stored(events, number, state.persons[number], root) for number in state.records(root)]
        if not records:
            raise NotFound("this person was not in the index at that time, or had no record")
        return self._survive(root, records)

    def history(self, key: int) -> Sequence[Event]:
        """Of everybody who ever stood together with this person. Raises NotFound."""
        self._store.root(key)
        return self._store.history(key)

    def by_identifier(self, domain: str, value: str) -> list[Person]:
        """Mostly one; several where sources contradict each other and nobody has decided yet."""
        known, _ = sound_value(self._book.domain(domain), value)
        found = self._store.having([identifier_key(domain, known)])
        return [self._survive(root, records) for root, records in sorted(found.items()) if _has(records, domain, known)]

    def by_fields(self, asked: Record) -> list[Person]:
        """Persons of whom a record says just this, in the forms that are compared. Raises InputError for too little."""
        keys = [key for _, key in blocks(asked)]
        if not keys:
            raise InputError(f"too little to search for: {ENOUGH}")
        found = [one.stored for one in self._store.by_keys(keys) if _says(one.stored.body, asked)]
        return self._all({one.root for one in found})

    def match(self, record: Record, most: int = 10) -> list[tuple[Match, Person]]:
        """Whom this may be, the likeliest first, each with its score field by field. Nothing is changed."""
        found = matches(self._store, self._book.now().decider, record, keys_of(record))[:most]
        return [(one, self._survive(one.root, one.records)) for one in found]

    def across(self, domain: str, value: str, targets: Sequence[str] = ()) -> list[Identifier]:
        """The person's other identifiers, in these domains or all (PIX). Raises NotFound for an unknown identifier."""
        persons = self.by_identifier(domain, value)
        if not persons:
            raise NotFound("nobody in the index has this identifier")
        found = {(one.domain, one.value): one for person in persons for one in person.identifiers if one.until is None}
        return [one for one in found.values() if not targets or one.domain in targets]

    def domain(self, code: str) -> Domain:
        return self._book.domain(code)

    def domains(self) -> Domains:
        return self._book.now().domains

    def _all(self, roots: set[int]) -> list[Person]:
        return [self._survive(root, records) for root, records in sorted(self._store.clusters(roots).items())]

    def _survive(self, root: int, records: Sequence[Stored]) -> Person:
        return survive(root, records, self._trust)


def _stored(events: Sequence[Event], record: int, person: int, root: int) -> Stored:
    last = [one for one in events if one.record == record and one.kind in (Kind.RECORDED, Kind.UPDATED)][-1]
    assert last.body is not None  # noqa: S101  these kinds have one
    return Stored(record, person, root, last.number, last.at, last.body)


def _has(records: Sequence[Stored], domain: str, value: str) -> bool:
    """A key may by chance be another's."""
    return any((one.domain, one.value) == (domain, value) for record in records for one in record.body.identifiers)


_ASKED = ("sex", "birth_date", "phone", "address")


def _says(body: Record, asked: Record) -> bool:
    named = not asked.name or latin(body.name) == latin(asked.name)
    return named and all(getattr(asked, name) in ("", getattr(body, name)) for name in _ASKED)
