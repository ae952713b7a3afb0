"""SqlCallerStore and SqlLookStore: who may use the service, and whom they looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Row, func, select, update
from sqlalchemy.exc import IntegrityError

from ehc.access.app import SealedApp
from ehc.access.caller import Caller, CallerKey, RegisteredCaller, Scope
from ehc.access.looks import Look
from ehc.errors import Conflict, NotFound
from ehc.store.database import READING
from ehc.store.tables import app_secrets, caller_events, caller_keys, callers, looks

_SCOPES = {scope.value for scope in Scope}


def _caller(row: Row[Any]) -> Caller:
    """A scope that this program does not know gives nothing."""
    return Caller(row.name, frozenset(map(Scope, _SCOPES & set(row.scopes.split()))), row.institution, row.rate)


def _happened(connection: Connection, name: str, what: str, now: int) -> None:
    connection.execute(caller_events.insert().values(caller=name, at=now, what=what))


class SqlCallerStore:
    """access.caller.CallerStore and access.app.AppStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**READING)

    def add(self, caller: Caller, digest: bytes, now: int) -> None:
        self._add(caller, caller_keys.insert().values(digest=digest, caller=caller.name), now)

    def add_app(self, caller: Caller, sealed: bytes, now: int) -> None:
        self._add(caller, app_secrets.insert().values(sealed=sealed, caller=caller.name), now)

    def _add(self, caller: Caller, shown: Insert, now: int) -> None:
        """shown: what it will be known by."""
        scopes = " ".join(sorted(caller.scopes))
        row = {"name": caller.name, "scopes": scopes, "institution": caller.institution, "rate": caller.rate}
        try:
            with self._engine.begin() as connection:
                connection.execute(callers.insert().values(created_at=now, **row))
                connection.execute(shown)
                _happened(connection, caller.name, "added", now)
        except IntegrityError:
            raise Conflict(f"there is or was a caller {caller.name}: choose another name, or rotate its key") from None

    def rotate(self, name: str, digest: bytes, now: int, old_until: int) -> None:
        with self._engine.begin() as connection:
            self._require(connection, name)
            lasting = caller_keys.c.ends_at.is_(None) | (caller_keys.c.ends_at > old_until)
            old = (caller_keys.c.caller == name) & lasting
            connection.execute(update(caller_keys).where(old).values(ends_at=old_until))
            connection.execute(caller_keys.insert().values(digest=digest, caller=name))
            _happened(connection, name, "rotated", now)

    def revoke(self, name: str, now: int) -> None:
        with self._engine.begin() as connection:
            if self._require(connection, name, revoked_too=True).revoked_at is None:
                connection.execute(update(callers).where(callers.c.name == name).values(revoked_at=now))
                _happened(connection, name, "revoked", now)

    def _require(self, connection: Connection, name: str, *, revoked_too: bool = False) -> Row[Any]:
        row = connection.execute(select(callers).where(callers.c.name == name).with_for_update()).one_or_none()
        if row is None:
            raise NotFound(f"no caller is called {name}")
        if row.revoked_at is not None and not revoked_too:
            raise Conflict(f"the caller {name} was revoked")
        return row

    def all(self, now: int) -> Sequence[RegisteredCaller]:
        valid = caller_keys.c.ends_at.is_(None) | (caller_keys.c.ends_at > now)
        shown = select(func.count()).where((caller_keys.c.caller == callers.c.name) & valid).scalar_subquery()
        secrets = select(func.count()).where(app_secrets.c.caller == callers.c.name).scalar_subquery()
        count = shown + secrets
        with self._reader.connect() as connection:
            rows = connection.execute(select(callers, count.label("keys")).order_by(callers.c.name)).all()
        return [
            RegisteredCaller(_caller(row), row.created_at, row.revoked_at, row.keys if row.revoked_at is None else 0)
            for row in rows
        ]

    def version(self) -> int:
        with self._reader.connect() as connection:
            return connection.scalar(select(func.count()).select_from(caller_events)) or 0

    def keys(self, now: int) -> Sequence[CallerKey]:
        valid = callers.c.revoked_at.is_(None) & (caller_keys.c.ends_at.is_(None) | (caller_keys.c.ends_at > now))
        both = select(callers, caller_keys).join_from(caller_keys, callers).where(valid)
        with self._reader.connect() as connection:
            return [CallerKey(row.digest, _caller(row), row.ends_at) for row in connection.execute(both)]

    def apps(self) -> Sequence[SealedApp]:
        living = select(callers, app_secrets).join_from(app_secrets, callers).where(callers.c.revoked_at.is_(None))
        with self._reader.connect() as connection:
            return [SealedApp(_caller(row), row.sealed) for row in connection.execute(living)]


class SqlLookStore:
    """access.looks.LookStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**READING)

    def record(self, look: Look) -> None:
        who = {"at": look.at, "who": look.who, "what": look.what, "request_id": look.request_id}
        with self._engine.begin() as connection:
            connection.execute(looks.insert().values(account=look.account, purpose=look.purpose, **who))

    def looks(self, account: int | None = None, limit: int = 100, before: int | None = None) -> Sequence[Look]:
        newest = select(looks).order_by(looks.c.look.desc()).limit(limit)
        if before is not None:
            newest = newest.where(looks.c.look < before)
        if account is not None:
            newest = newest.where(looks.c.account == account)
        with self._reader.connect() as connection:
            return [
                Look(row.at, row.who, row.what, row.account, row.purpose, row.request_id, row.look)
                for row in connection.execute(newest)
            ]
