"""SqlIndexStore: the master index in SQLite or PostgreSQL. Its events, and in the same transaction what follows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, delete, select, text, update
from sqlalchemy.exc import IntegrityError

from ehc.errors import Conflict, InputError, NotFound
from ehc.index.domain import Domain
from ehc.index.history import Event, Kind, numbered, pair
from ehc.index.index_store import Found, NewRecords, Page
from ehc.index.person import Stored
from ehc.index.record import Record, encode
from ehc.index.review import Review
from ehc.store import index_bulk, index_reviews, index_rows
from ehc.store.database import keep_pages, looking_up, reader, upsert
from ehc.store.index_reviews import ReviewWriter
from ehc.store.tables import (
    index_apart,
    index_consumers,
    index_counter,
    index_domains,
    index_events,
    index_keys,
    index_merged,
    index_models,
    index_records,
    index_turns,
)

_VERSION = text("SELECT (SELECT count(*) FROM index_domains), (SELECT coalesce(max(model), 0) FROM index_models)")


class _Reader:
    """index_store.IndexReader over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_keys(self, keys: Collection[int], most: int = 1000) -> Sequence[Found]:
        return index_rows.by_keys(self._connection, keys, most)

    def roots_having(self, keys: Collection[int], most: int = 1000) -> Set[int]:
        return {one.stored.root for one in self.by_keys(keys, most)}

    def records(self, numbers: Collection[int]) -> Sequence[Stored]:
        return index_rows.records(self._connection, numbers)

    def root(self, person: int) -> int:
        return index_rows.root(self._connection, person)

    def cluster(self, root: int) -> Sequence[Stored]:
        return self.clusters([root]).get(root, ())

    def clusters(self, roots: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        return index_rows.clusters(self._connection, roots)

    def having(self, keys: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        return index_rows.persons_having(self._connection, keys)

    def into(self, person: int) -> int | None:
        return index_rows.into(self._connection, person)

    def kept_apart(self, one: int, other: int) -> Sequence[tuple[int, int]]:
        return index_rows.kept_apart(self._connection, one, other)

    def is_apart(self, one: int, other: int) -> bool:
        return bool(self.kept_apart(one, other))


class SqlIndexWriter(_Reader, ReviewWriter):
    """index_store.IndexWriter."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._next = _lock_counter(connection)

    @property
    def next(self) -> int:
        return self._next

    def keyed(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return index_rows.keyed(self._connection, keys)

    def roots(self, records: Collection[int]) -> Collection[int]:
        return index_rows.roots(self._connection, records)

    def append(
        self,
        kind: Kind,
        at: int,
        by: str,
        why: str,
        *,
        record: int = 0,
        person: int = 0,
        other: int = 0,
        body: Record | None = None,
        keys: Sequence[int] = (),
    ) -> Event:
        event = numbered(self._next, kind, at, by, why, record=record, person=person, other=other, body=body)
        self._write(event, keys)
        self._next += 1
        return event

    def _write(self, event: Event, keys: Sequence[int]) -> None:
        _FOLLOWS[event.kind](self._connection, event)
        if keys:
            rows = [{"key": key, "record": event.record} for key in sorted(set(keys))]
            self._connection.execute(upsert(self._connection)(index_keys).on_conflict_do_nothing(), rows)
        self._connection.execute(index_events.insert().values(_row(event)))

    def append_block(self, new: NewRecords, others: Sequence[tuple[Event, Sequence[int]]], at: int, by: str) -> None:
        index_bulk.append_new(self._connection, new, at, by)
        for event, keys in others:
            self._write(event, keys)
        self._next += len(new.numbers) + len(others)

    def finish(self) -> None:
        self._connection.execute(update(index_counter).values(next=self._next))


def _lock_counter(connection: Connection) -> int:
    """Waits until whoever writes is done."""
    first = upsert(connection)(index_counter).values(one=1, next=1).on_conflict_do_nothing()
    query = select(index_counter.c.next).with_for_update()
    found = connection.scalar(query)
    if found is None:
        connection.execute(first)
        found = connection.scalar(query)
    assert found is not None  # noqa: S101  it was just made
    return int(found)


def _row(event: Event) -> dict[str, object]:
    row = {name: getattr(event, name) for name in ("at", "record", "person", "other", "by", "why")}
    body = None if event.body is None else encode(event.body)
    return row | {"event": event.number, "kind": int(event.kind), "body": body}


# --- what follows from an event; refused as in index/history.py


def _recorded(connection: Connection, event: Event) -> None:
    values = {"record": event.record, "person": event.person, "version": event.number}
    connection.execute(index_records.insert().values(values))


def _updated(connection: Connection, event: Event) -> None:
    mine = index_records.c.record == event.record
    if not connection.execute(update(index_records).where(mine).values(version=event.number)).rowcount:
        raise NotFound("no such record")


def _moved(connection: Connection, event: Event) -> None:
    mine = (index_records.c.record == event.record) & (index_records.c.person == event.person)
    if not connection.execute(update(index_records).where(mine).values(person=event.other)).rowcount:
        if connection.scalar(select(index_records.c.person).where(index_records.c.record == event.record)) is None:
            raise NotFound("no such record")
        raise Conflict("the record stands at another person by now: look at it again")


def _merged(connection: Connection, event: Event) -> None:
    person, into = event.person, event.other
    merged = index_merged.c.person
    if connection.scalar(select(merged).where(merged.in_((person, into))).limit(1)) is not None:
        raise Conflict("one of them is merged already: merge the persons that they were merged into")
    if person == into:
        raise Conflict("a person is not merged with itself")
    connection.execute(update(index_merged).where(index_merged.c.root == person).values(root=into))
    connection.execute(index_merged.insert().values(person=person, into=into, root=into))


def _unmerged(connection: Connection, event: Event) -> None:
    mine = (index_merged.c.person == event.person) & (index_merged.c.into == event.other)
    if not connection.execute(delete(index_merged).where(mine)).rowcount:
        raise Conflict("this person is not merged into that one")
    below = _below(connection, event.person)
    if below:
        connection.execute(update(index_merged).where(index_merged.c.person.in_(below)).values(root=event.person))


def _below(connection: Connection, person: int) -> list[int]:
    """Persons whose pointers lead here."""
    found: list[int] = []
    edge = [person]
    while edge:
        edge = list(connection.scalars(select(index_merged.c.person).where(index_merged.c.into.in_(edge))))
        found += edge
    return found


def _apart(connection: Connection, event: Event) -> None:
    low, high = pair(event.person, event.other)
    connection.execute(upsert(connection)(index_apart).values(low=low, high=high).on_conflict_do_nothing())


def _together(connection: Connection, event: Event) -> None:
    low, high = pair(event.person, event.other)
    connection.execute(delete(index_apart).where(index_apart.c.low == low, index_apart.c.high == high))


_FOLLOWS = {
    Kind.RECORDED: _recorded,
    Kind.UPDATED: _updated,
    Kind.MOVED: _moved,
    Kind.MERGED: _merged,
    Kind.UNMERGED: _unmerged,
    Kind.APART: _apart,
    Kind.TOGETHER: _together,
}


class SqlIndexStore:
    """index_store.IndexStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader, self._looking_up = engine, reader(engine), looking_up(engine)
        self._name = os.urandom(16).hex()

    @contextmanager
    def writing(self) -> Iterator[SqlIndexWriter]:
        with self._engine.begin() as connection:
            writer = SqlIndexWriter(connection)
            yield writer
            writer.finish()

    @contextmanager
    def _reading(self) -> Iterator[_Reader]:
        with self._looking_up.connect() as connection:
            yield _Reader(connection)

    def expect_many(self) -> None:
        keep_pages(self._engine)

    def by_keys(self, keys: Collection[int], most: int = 1000) -> Sequence[Found]:
        with self._reading() as read:
            return read.by_keys(keys, most)

    def roots_having(self, keys: Collection[int], most: int = 1000) -> Set[int]:
        with self._reading() as read:
            return read.roots_having(keys, most)

    def records(self, numbers: Collection[int]) -> Sequence[Stored]:
        with self._reading() as read:
            return read.records(numbers)

    def root(self, person: int) -> int:
        with self._reading() as read:
            return read.root(person)

    def cluster(self, root: int) -> Sequence[Stored]:
        return self.clusters([root]).get(root, ())

    def clusters(self, roots: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        with self._reading() as read:
            return read.clusters(roots)

    def having(self, keys: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        with self._reading() as read:
            return read.having(keys)

    def into(self, person: int) -> int | None:
        with self._reading() as read:
            return read.into(person)

    def kept_apart(self, one: int, other: int) -> Sequence[tuple[int, int]]:
        with self._reading() as read:
            return read.kept_apart(one, other)

    def is_apart(self, one: int, other: int) -> bool:
        return bool(self.kept_apart(one, other))

    def rules_version(self) -> tuple[int, int]:
        with self._looking_up.connect() as connection:
            domains, model = connection.execute(_VERSION).one()
        return int(domains), int(model)

    def domains(self) -> Sequence[Domain]:
        with self._reader.connect() as connection:
            rows = connection.execute(select(index_domains).order_by(index_domains.c.code))
            return [Domain(*row) for row in rows]

    def add_domain(self, domain: Domain) -> None:
        values = {name: getattr(domain, name) for name in Domain.__dataclass_fields__}
        try:
            with self._engine.begin() as connection:
                connection.execute(index_domains.insert().values(values))
        except IntegrityError:
            raise Conflict(f"there is an identity domain with the code or the system of {domain.code}") from None

    def page(self, after: int, limit: int) -> Page:
        query = index_rows.STORED.where(index_records.c.record > after).order_by(index_records.c.record).limit(limit)
        with self._reader.connect() as connection:
            rows = [index_rows.stored(row) for row in connection.execute(query)]
        return Page(rows, rows[-1].record if len(rows) == limit else None)

    def history(self, person: int) -> Sequence[Event]:
        with self._reader.connect() as connection:
            return index_rows.history(connection, person)

    def events(self, after: int, limit: int) -> Sequence[Event]:
        query = select(index_events).where(index_events.c.event > after).order_by(index_events.c.event).limit(limit)
        with self._reader.connect() as connection:
            return [index_rows.event_of(row) for row in connection.execute(query)]

    def offset(self, consumer: str) -> int:
        with self._reader.connect() as connection:
            query = select(index_consumers.c.event).where(index_consumers.c.name == consumer)
            return connection.scalar(query) or 0

    def commit_offset(self, consumer: str, number: int, at: int) -> None:
        with self._engine.begin() as connection:
            last = connection.scalar(select(index_counter.c.next)) or 1
            if not 0 <= number < last:
                raise InputError(f"offset: there are events 1 to {last - 1}")
            row = upsert(connection)(index_consumers).values(name=consumer, event=number, at=at)
            ahead = index_consumers.c.event < row.excluded.event
            new = {"event": row.excluded.event, "at": row.excluded.at}
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=new, where=ahead))

    def take_turn(self, consumer: str, now: int, until: int) -> int | None:
        """In index_turns: the turn is whose last one it was, or anybody's once it has ended. Written now and then."""
        of, mine = index_turns.c, {"holder": self._name, "until": until}
        with self._looking_up.connect() as connection:
            known = connection.execute(select(index_turns).where(of.name == consumer)).first()
        if known is not None and known.until > now and known.holder != self._name:
            return None
        if known is not None and known.until > (now + until) // 2 and known.holder == self._name:
            return int(known.place)
        with self._engine.begin() as connection:
            first = upsert(connection)(index_turns).values(name=consumer, place=0, **mine).on_conflict_do_nothing()
            connection.execute(first)
            free = (of.name == consumer) & ((of.holder == self._name) | (of.until <= now))
            taken: int | None = connection.scalar(update(index_turns).where(free).values(mine).returning(of.place))
        return taken

    def keep_place(self, consumer: str, place: int) -> None:
        of = index_turns.c
        with self._engine.begin() as connection:
            its = (of.name == consumer) & (of.holder == self._name) & (of.place < place)
            connection.execute(update(index_turns).where(its).values(place=place))

    def reviews(self, *, closed: bool, after: int, limit: int) -> Sequence[Review]:
        with self._reader.connect() as connection:
            return index_reviews.page(connection, closed=closed, after=after, limit=limit)

    def model(self) -> str | None:
        query = select(index_models.c.weights).order_by(index_models.c.model.desc()).limit(1)
        with self._reader.connect() as connection:
            return connection.scalar(query)

    def set_model(self, text: str, at: int, by: str) -> int:
        with self._engine.begin() as connection:
            new = index_models.insert().values(weights=text, at=at, by=by).returning(index_models.c.model)
            return int(connection.execute(new).scalar_one())
