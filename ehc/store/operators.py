"""SqlOperatorStore, SqlSessionStore, SqlDeedStore: operators, their sessions, and what they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from ehc.access.operator import Deed, Operator, Role
from ehc.access.session import Session
from ehc.access.sign_in import FORGOTTEN, attempts_now, locked_until
from ehc.errors import Conflict, NotFound
from ehc.store.database import reader, upsert
from ehc.store.tables import operator_deeds, operator_sessions, operators, sign_in_attempts


def _operator(row: Row[Any]) -> Operator:
    times = (row.created_at, row.disabled_at, row.one_time_until, row.signed_in_at, row.second_factor_at)
    return Operator(row.name, Role(row.role), *times)


class SqlOperatorStore:
    """access.operator.OperatorStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def add(self, operator: Operator, password_hash: str) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(operators.insert().values(**asdict(operator), password=password_hash))
        except IntegrityError:
            raise Conflict(f"there is or was an operator {operator.name}: choose another name") from None

    def all(self) -> Sequence[Operator]:
        with self._reader.connect() as connection:
            return [_operator(row) for row in connection.execute(select(operators).order_by(operators.c.name))]

    def find(self, name: str) -> tuple[Operator, str] | None:
        with self._reader.connect() as connection:
            row = connection.execute(select(operators).where(operators.c.name == name)).one_or_none()
        return None if row is None else (_operator(row), row.password)

    def set_password(self, name: str, password_hash: str, one_time_until: int | None) -> None:
        with self._engine.begin() as connection:
            values = {"password": password_hash, "one_time_until": one_time_until}
            _set(connection, name, values)
            _end_sessions(connection, name)

    def set_enabled(self, name: str, enabled: bool, now: int) -> None:
        with self._engine.begin() as connection:
            query = select(operators).where(operators.c.role == Role.SYSTEM).with_for_update()
            others = {row.name for row in connection.execute(query) if row.disabled_at is None} - {name}
            if not enabled and not others:
                raise Conflict("the last operator of the system cannot be disabled: add another one first")
            _set(connection, name, {"disabled_at": None if enabled else now})
            if not enabled:
                _end_sessions(connection, name)

    def attempt(self, who: bytes, now: int) -> bool:
        its = sign_in_attempts.c.who == who
        with self._engine.begin() as connection:
            connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.last_at <= now - FORGOTTEN))
            fresh = upsert(connection)(sign_in_attempts).values(who=who, attempts=0, last_at=now)
            connection.execute(fresh.on_conflict_do_nothing())
            row = connection.execute(select(sign_in_attempts).where(its).with_for_update()).one()
            before = attempts_now(row.attempts, row.last_at, now)
            if now < locked_until(before, row.last_at):
                return False
            connection.execute(update(sign_in_attempts).where(its).values(attempts=before + 1, last_at=now))
        return True

    def signed_in(self, who: bytes, name: str, now: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.who == who))
            _set(connection, name, {"signed_in_at": now})

    def second_factor(self, name: str) -> bytes | None:
        with self._reader.connect() as connection:
            return connection.execute(select(operators.c.second_factor).where(operators.c.name == name)).scalar()

    def bind(self, name: str, sealed: bytes, step: int, now: int) -> None:
        values = {"second_factor": sealed, "second_factor_at": now, "second_factor_step": step}
        query = select(operators.c.second_factor).where(operators.c.name == name).with_for_update()
        with self._engine.begin() as connection:
            if connection.execute(query).scalar() is not None:
                raise Conflict("there is a second factor already: it has to be removed first")
            _set(connection, name, values)
            _end_sessions(connection, name)

    def unbind(self, name: str) -> None:
        with self._engine.begin() as connection:
            _set(connection, name, {"second_factor": None, "second_factor_at": None, "second_factor_step": None})
            _end_sessions(connection, name)

    def use_step(self, name: str, step: int) -> bool:
        its = (operators.c.name == name) & (operators.c.second_factor_step < step)
        with self._engine.begin() as connection:
            return connection.execute(update(operators).where(its).values(second_factor_step=step)).rowcount == 1


def _set(connection: Connection, name: str, values: dict[str, Any]) -> None:
    changed = update(operators).where(operators.c.name == name).values(**values)
    if connection.execute(changed).rowcount == 0:
        raise NotFound(f"no operator is called {name}")


def _end_sessions(connection: Connection, operator: str) -> None:
    connection.execute(delete(operator_sessions).where(operator_sessions.c.operator == operator))


class SqlSessionStore:
    """access.session.SessionStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def begin(self, digest: bytes, operator: str, now: int, began_before: int) -> None:
        row = {"digest": digest, "operator": operator, "began_at": now, "seen_at": now, "purpose": ""}
        with self._engine.begin() as connection:
            connection.execute(delete(operator_sessions).where(operator_sessions.c.began_at < began_before))
            connection.execute(operator_sessions.insert().values(row))

    def find(self, digest: bytes) -> Session | None:
        return next(iter(self._those(operator_sessions.c.digest == digest)), None)

    def of(self, operator: str) -> Sequence[Session]:
        return self._those(operator_sessions.c.operator == operator)

    def _those(self, condition: ColumnElement[bool]) -> Sequence[Session]:
        both = select(operator_sessions, operators).join_from(operator_sessions, operators)
        query = both.where(condition & operators.c.disabled_at.is_(None)).order_by(operator_sessions.c.began_at.desc())
        with self._reader.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Session(row.digest, _operator(row), row.began_at, row.seen_at, row.account, row.purpose) for row in rows
        ]

    def seen(self, digest: bytes, now: int) -> None:
        self._set(digest, {"seen_at": now})

    def look_at(self, digest: bytes, account: int | None, purpose: str) -> None:
        self._set(digest, {"account": account, "purpose": purpose})

    def _set(self, digest: bytes, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            its = operator_sessions.c.digest == digest
            connection.execute(update(operator_sessions).where(its).values(**values))

    def end(self, digest: bytes) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(operator_sessions).where(operator_sessions.c.digest == digest))


class SqlDeedStore:
    """access.operator.DeedStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def record(self, deed: Deed) -> None:
        values = asdict(deed)
        del values["number"]
        with self._engine.begin() as connection:
            connection.execute(operator_deeds.insert().values(**values))

    def deeds(self, operator: str = "", before: int | None = None, limit: int = 100) -> Sequence[Deed]:
        query = select(operator_deeds).order_by(operator_deeds.c.deed.desc()).limit(limit)
        if operator:
            query = query.where(operator_deeds.c.operator == operator)
        if before is not None:
            query = query.where(operator_deeds.c.deed < before)
        with self._reader.connect() as connection:
            return [_deed(row) for row in connection.execute(query)]


def _deed(row: Row[Any]) -> Deed:
    what = (row.operator, row.what, row.subject, row.account, row.result)
    return Deed(row.at, *what, row.request_id, row.address, row.deed)
