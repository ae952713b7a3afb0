"""SqlPlaceStore: institutions, departments, terminals and what happened to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, bindparam, func, literal, select, update
from sqlalchemy.exc import IntegrityError

from ehc.errors import Conflict, NotFound
from ehc.institutions.place import (
    Change,
    Channel,
    Department,
    Institution,
    P,
    Part,
    Place,
    PlaceEvent,
    Sighting,
    Terminal,
)
from ehc.store.database import reader
from ehc.store.tables import departments, institutions, place_events, terminals

TABLES: dict[type, Table] = {Institution: institutions, Department: departments, Terminal: terminals}


class SqlPlaceStore:
    """institutions.place.PlaceStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def add(self, place: Place, by: str) -> None:
        table = TABLES[type(place)]
        values = {column.name: getattr(place, column.name) for column in table.c}
        key = _key(place)
        try:
            with self._engine.begin() as connection:
                if len(key) > 1 and _row(connection, institutions, key[:1]) is None:
                    raise NotFound("no institution has this code")
                connection.execute(table.insert().values(values))
                _happened(connection, type(place), key, "registered", now=place.registered_at, by=by)
        except IntegrityError:
            raise Conflict(f"the code {place.code} is taken") from None

    def change(self, kind: type[P], key: Sequence[str], change: Change, now: int, by: str) -> P:
        table = TABLES[kind]
        with self._engine.begin() as connection:
            row = _row(connection, table, key, lock=True)
            if row is None:
                raise NotFound("there is no such place")
            before = dict(row._mapping)
            fields: dict[str, Any] = {name: value for name, value in change.fields.items() if before[name] != value}
            done = ["modified"] if fields else []
            if change.enabled is not None and change.enabled is (before["disabled_at"] is not None):
                fields["disabled_at"] = None if change.enabled else now
                done.append("enabled" if change.enabled else "disabled")
            if fields:
                connection.execute(update(table).where(_is(table, key)).values(fields))
            for what in done:
                _happened(connection, kind, key, what, now=now, by=by)
            return _place(kind, before | fields)

    def find(self, kind: type[P], *key: str) -> P | None:
        with self._reader.connect() as connection:
            row = _row(connection, TABLES[kind], key)
        return None if row is None else _place(kind, row._mapping)

    def institutions(self, region: str, after: str, limit: int) -> Sequence[Institution]:
        query = select(institutions).where(institutions.c.code > after).order_by(institutions.c.code).limit(limit)
        if region:
            query = query.where(institutions.c.region.between(region.ljust(6, "0"), region.ljust(6, "9")))
        with self._reader.connect() as connection:
            return [_place(Institution, row._mapping) for row in connection.execute(query)]

    def within(self, kind: type[Part], institution: str, after: str, limit: int) -> Sequence[Part]:
        table = TABLES[kind]
        its = (table.c.institution == institution) & (table.c.code > after)
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(its).order_by(table.c.code).limit(limit))
            return [_place(kind, row._mapping) for row in rows]

    def history(self, institution: str) -> Sequence[PlaceEvent]:
        query = select(place_events).where(place_events.c.institution == institution).order_by(place_events.c.event)
        with self._reader.connect() as connection:
            return [PlaceEvent(row.at, row.part, row.code, row.what, row.by) for row in connection.execute(query)]

    def changes(self) -> int:
        switched = place_events.c.what.in_(("disabled", "enabled"))
        with self._reader.connect() as connection:
            return connection.scalar(select(func.count()).select_from(place_events).where(switched)) or 0

    def disabled(self) -> Sequence[tuple[str, str]]:
        whole = select(institutions.c.code, literal("")).where(institutions.c.disabled_at.is_not(None))
        parts = select(terminals.c.institution, terminals.c.code).where(terminals.c.disabled_at.is_not(None))
        with self._reader.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(whole.union_all(parts))]

    def seen(self, sightings: Iterable[Sighting]) -> None:
        rows = [{"its": one[0], "own": one[1], "at": one[2], "drift": one[3]} for one in sightings]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(_SEEN, rows)


_SEEN = (
    update(terminals)
    .where(terminals.c.institution == bindparam("its"), terminals.c.code == bindparam("own"))
    .where(func.coalesce(terminals.c.last_seen, -1) <= bindparam("at"))
    .values(last_seen=bindparam("at"), clock_drift=func.coalesce(bindparam("drift"), terminals.c.clock_drift))
)


def _key(place: Place) -> tuple[str, ...]:
    return (place.code,) if isinstance(place, Institution) else (place.institution, place.code)


def _is(table: Table, key: Sequence[str]) -> ColumnElement[bool]:
    found = table.c.code == key[-1]
    return found if table is institutions else found & (table.c.institution == key[0])


def _row(connection: Connection, table: Table, key: Sequence[str], *, lock: bool = False) -> Row[Any] | None:
    query = select(table).where(_is(table, key))
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _place(kind: type[P], row: Any) -> P:
    values = dict(row)
    if kind is Terminal:
        values["channel"] = Channel(values["channel"])
    return kind(**values)


def _happened(connection: Connection, kind: type, key: Sequence[str], what: str, *, now: int, by: str) -> None:
    part = {"part": kind.__name__.lower(), "code": key[-1], "what": what}
    connection.execute(place_events.insert().values(institution=key[0], at=now, by=by, **part))
