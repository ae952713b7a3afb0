"""Reading the master index: records with where they stand now, by key, number or person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, Connection, Select, TextClause, cast, func, literal, or_, select, text

from ehc.errors import NotFound
from ehc.index.history import Event, Kind
from ehc.index.index_store import Found
from ehc.index.person import Stored
from ehc.index.record import decode
from ehc.store.bulk_postgres import Int8s, driver, int8s
from ehc.store.tables import index_apart, index_events, index_merged, index_records

_ROOT = func.coalesce(index_merged.c.root, index_records.c.person).label("root")
_PLACED = index_records.outerjoin(index_merged, index_merged.c.person == index_records.c.person)
_JOINED = _PLACED.join(index_events, index_events.c.event == index_records.c.version)
_COLUMNS = (
    index_records.c.record,
    index_records.c.person,
    _ROOT,
    index_records.c.version,
    index_events.c.at,
    index_events.c.body,
)
STORED: Select[Any] = select(*_COLUMNS).select_from(_JOINED)


def stored(row: Sequence[Any]) -> Stored:
    record, person, root, version, at, body = row
    return Stored(record, person, root, version, at, decode(body))


def event_of(row: Sequence[Any]) -> Event:
    number, at, kind, record, person, other, by, why, body = row
    return Event(number, at, Kind(kind), record, person, other, by, why, None if body is None else decode(body))


_NUMBERS = {
    "sqlite": "SELECT value FROM json_each(:numbers)",
    "postgresql": "SELECT unnest(CAST(:numbers AS BIGINT[]))",
}
"""What follows IN, for however many whole numbers, as one parameter."""
_KEYED = """
    SELECT r.record, r.person, coalesce(m.root, r.person), r.version, e.at, e.body, k.key
    FROM (SELECT key, record FROM index_keys WHERE key IN (:NUMBERS) ORDER BY record LIMIT :most) AS k
    JOIN index_records AS r ON r.record = k.record JOIN index_events AS e ON e.event = r.version
    LEFT JOIN index_merged AS m ON m.person = r.person ORDER BY r.record
"""
"""Keys first, then what has them: a planner may not read through all records in their order."""
_CLUSTERED = """
    SELECT r.record, r.person, coalesce(m.root, r.person), r.version, e.at, e.body
    FROM index_records AS r JOIN index_events AS e ON e.event = r.version
    LEFT JOIN index_merged AS m ON m.person = r.person
    WHERE r.person IN (:NUMBERS UNION ALL SELECT person FROM index_merged WHERE root IN (:NUMBERS))
    ORDER BY r.record
"""
_PERSONS = """
    WITH keyed AS (SELECT record FROM index_keys WHERE key IN (:NUMBERS) ORDER BY record LIMIT 1000),
    roots AS (SELECT DISTINCT coalesce(m.root, r.person) AS root FROM keyed AS k
        JOIN index_records AS r ON r.record = k.record LEFT JOIN index_merged AS m ON m.person = r.person),
    persons AS (SELECT root AS person, root FROM roots
        UNION ALL SELECT m.person, m.root FROM roots JOIN index_merged AS m ON m.root = roots.root)
    SELECT r.record, r.person, p.root, r.version, e.at, e.body
    FROM persons AS p JOIN index_records AS r ON r.person = p.person JOIN index_events AS e ON e.event = r.version
    ORDER BY p.root, r.record
"""


@cache
def _prepared(dialect: str, query: str) -> TextClause:
    """Queries of look-ups are texts: putting one together anew costs more than asking it."""
    return text(query.replace(":NUMBERS", _NUMBERS[dialect]))


def _given(connection: Connection, numbers: Iterable[int]) -> Any:
    return msgspec.json.encode(list(numbers)).decode() if connection.dialect.name == "sqlite" else list(numbers)


def among(connection: Connection, numbers: Iterable[int]) -> Any:
    """The same for queries that are put together."""
    told = _given(connection, numbers)
    if connection.dialect.name == "sqlite":
        return select(func.json_each(told).table_valued("value").c.value)
    return select(func.unnest(cast(literal(told, ARRAY(BigInteger)), ARRAY(BigInteger))).column_valued())


def by_keys(connection: Connection, keys: Collection[int], most: int) -> list[Found]:
    if not keys:
        return []
    query = _prepared(connection.dialect.name, _KEYED)
    rows = connection.execute(query, {"numbers": _given(connection, keys), "most": most})
    return [Found(row[-1], stored(row[:-1])) for row in rows]


_HAVING_SQLITE = """
    SELECT key, record FROM (SELECT k.key, k.record, row_number() OVER (PARTITION BY k.key ORDER BY k.record) AS place
    FROM json_each(?) AS asked CROSS JOIN index_keys AS k ON k.key = asked.value) AS n
    WHERE place <= 1000 ORDER BY key, record
"""
_HAVING_POSTGRES = """
    SELECT asked.key, k.record FROM unnest(%b) AS asked (key)
    CROSS JOIN LATERAL (SELECT record FROM index_keys WHERE key = asked.key ORDER BY record LIMIT 1000) AS k
    ORDER BY asked.key, k.record
"""
"""LATERAL keeps the planner to one look by index for each key: `= ANY` may compare every row with every key."""


def keyed(connection: Connection, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(_HAVING_SQLITE, (_given(connection, keys.tolist()),)).all()
        found = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
    else:
        with driver(connection) as raw, int8s(raw) as cursor:
            found = np.array(cursor.execute(_HAVING_POSTGRES, (Int8s.of(keys),)).fetchall(), np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def roots(connection: Connection, numbers: Collection[int]) -> Collection[int]:
    query = select(_ROOT).select_from(_PLACED).where(index_records.c.record.in_(among(connection, numbers)))
    return set(connection.scalars(query))


def records(connection: Connection, numbers: Collection[int]) -> list[Stored]:
    query = STORED.where(index_records.c.record.in_(among(connection, numbers))).order_by(index_records.c.record)
    return [stored(row) for row in connection.execute(query)]


def clusters(connection: Connection, roots: Collection[int]) -> dict[int, list[Stored]]:
    if not roots:
        return {}
    found: dict[int, list[Stored]] = {root: [] for root in roots}
    query = _prepared(connection.dialect.name, _CLUSTERED)
    for one in map(stored, connection.execute(query, {"numbers": _given(connection, roots)})):
        found[one.root].append(one)
    return {root: records for root, records in found.items() if records}


def persons_having(connection: Connection, keys: Collection[int]) -> dict[int, list[Stored]]:
    """In one round trip."""
    found: dict[int, list[Stored]] = {}
    query = _prepared(connection.dialect.name, _PERSONS)
    for one in map(stored, connection.execute(query, {"numbers": _given(connection, keys)})):
        found.setdefault(one.root, []).append(one)
    return found


def root(connection: Connection, person: int) -> int:
    merged = connection.scalar(select(index_merged.c.root).where(index_merged.c.person == person))
    if merged is not None:
        return int(merged)
    if person > 0 and any(connection.scalar(one.limit(1)) is not None for one in _told_of(person)):
        return person
    raise NotFound("no such person in the index")


def _told_of(person: int) -> tuple[Select[Any], Select[Any]]:
    """Events that name a person, each by its own index."""
    event = index_events.c
    return (
        select(event.event).where(event.person == person),
        select(event.event).where((event.other > 0) & (event.other == person)),
    )


def persons(connection: Connection, of: int) -> list[int]:
    """That stand at a root, itself among them."""
    return [of, *connection.scalars(select(index_merged.c.person).where(index_merged.c.root == of))]


def into(connection: Connection, person: int) -> int | None:
    return connection.scalar(select(index_merged.c.into).where(index_merged.c.person == person))


def kept_apart(connection: Connection, one: int, other: int) -> list[tuple[int, int]]:
    first, second = (among(connection, persons(connection, of)) for of in (one, other))
    low, high = index_apart.c.low, index_apart.c.high
    crosses = or_(low.in_(first) & high.in_(second), low.in_(second) & high.in_(first))
    return [(row.low, row.high) for row in connection.execute(select(low, high).where(crosses))]


def history(connection: Connection, person: int) -> list[Event]:
    """Every event of whoever ever stood together with a person."""
    found: dict[int, Event] = {}
    asked: set[int] = set()
    people, bodies = {person}, set[int]()
    while people - asked or bodies:
        new, asked = people - asked, asked | people
        rows = _events_of(connection, new, bodies)
        bodies = {one.record for one in rows if one.record} - {one.record for one in found.values()}
        found |= {one.number: one for one in rows}
        people |= {number for one in rows for number in (one.person, one.other) if number}
    return [found[number] for number in sorted(found)]


def _events_of(connection: Connection, people: Collection[int], bodies: Collection[int]) -> list[Event]:
    """Three questions, each by its own index."""
    people_, bodies_ = list(people), list(bodies)
    event = index_events.c
    conditions = (
        (event.person.in_(among(connection, people_)), people_),
        ((event.other > 0) & event.other.in_(among(connection, people_)), people_),
        (event.event.in_(among(connection, bodies_)), bodies_),
        ((event.record > 0) & (event.record < event.event) & event.record.in_(among(connection, bodies_)), bodies_),
    )
    asked = [select(index_events).where(condition) for condition, numbers in conditions if numbers]
    return [event_of(row) for query in asked for row in connection.execute(query)]
