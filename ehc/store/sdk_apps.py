"""SqlAppRegistryStore: apps that sign their requests, their keys and grants, and what was used of a grant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from ehc.access.caller import Scope
from ehc.errors import Conflict, NotFound
from ehc.sdkauth.act import Act
from ehc.sdkauth.app import AppState, RegisteredApp
from ehc.sdkauth.grant import Grant, Quota
from ehc.sdkauth.key import AppKey, require_room
from ehc.sdkauth.registry import Known
from ehc.sdkauth.sdk import SdkId, SdkState
from ehc.store.database import reader, upsert
from ehc.store.sdks import happened
from ehc.store.tables import app_grants, app_keys, caller_events, callers, grant_uses, sdk_apps, sdk_events, sdks

_SCOPES = {scope.value for scope in Scope}
_APPS = select(sdk_apps, callers.c.rate, callers.c.revoked_at).join_from(sdk_apps, callers)


class SqlAppRegistryStore:
    """sdkauth.registry.AppRegistryStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def add(self, app: RegisteredApp, act: Act) -> None:
        own = ("kind", "owner", "package", "certificate", "public_key", "report", "sandbox", "state", "created_at")
        caller = {"name": app.name, "scopes": "", "rate": app.rate, "created_at": app.created_at}
        try:
            with self._engine.begin() as connection:
                connection.execute(callers.insert().values(caller))
                connection.execute(
                    sdk_apps.insert().values(caller=app.name, **{name: getattr(app, name) for name in own})
                )
                connection.execute(caller_events.insert().values(caller=app.name, at=app.created_at, what="added"))
                happened(connection, app.name, "added", act)
        except IntegrityError:
            raise Conflict(f"there is or was a caller {app.name}: choose another name") from None

    def find(self, name: str) -> RegisteredApp:
        with self._reader.connect() as connection:
            return _find(connection, name)

    def all(self) -> Sequence[RegisteredApp]:
        with self._reader.connect() as connection:
            return [_app(row) for row in connection.execute(_APPS.order_by(sdk_apps.c.caller))]

    def move(self, name: str, old: AppState, new: AppState, act: Act) -> RegisteredApp:
        with self._engine.begin() as connection:
            if _find(connection, name, lock=True).state is not old:
                raise Conflict(f"{name} has just been changed by somebody else: look at it again")
            connection.execute(update(sdk_apps).where(sdk_apps.c.caller == name).values(state=new))
            if new is AppState.REVOKED:
                connection.execute(update(callers).where(callers.c.name == name).values(revoked_at=act.now))
                connection.execute(caller_events.insert().values(caller=name, at=act.now, what="revoked"))
            happened(connection, name, new, act)
            return _find(connection, name)

    def amend(self, name: str, report: str | None, public_key: bytes | None, act: Act) -> RegisteredApp:
        values = {
            key: value for key, value in {"report": report, "public_key": public_key}.items() if value is not None
        }
        with self._engine.begin() as connection:
            _find(connection, name, lock=True)
            for field in values:
                happened(connection, name, field, act)
            if values:
                connection.execute(update(sdk_apps).where(sdk_apps.c.caller == name).values(values))
            return _find(connection, name)

    def add_key(self, key: AppKey, act: Act) -> None:
        own = ("id", "app", "kind", "created_at", "sealed", "public_key")
        try:
            with self._engine.begin() as connection:
                _find(connection, key.app, lock=True)
                require_room(_keys(connection, key.app), key.kind, key.created_at)
                connection.execute(app_keys.insert().values({name: getattr(key, name) for name in own}))
                happened(connection, key.app, "key added", act, key.id)
        except IntegrityError:
            raise Conflict(f"there is or was a key {key.id}: choose another id") from None

    def keys(self, app: str) -> Sequence[AppKey]:
        with self._reader.connect() as connection:
            _find(connection, app)
            return _keys(connection, app)

    def end_key(self, app: str, id: str, ends_at: int, act: Act) -> AppKey:
        with self._engine.begin() as connection:
            found = _key(connection, app, id)
            if found.ends_at is None or ends_at < found.ends_at:
                connection.execute(update(app_keys).where(app_keys.c.id == id).values(ends_at=ends_at))
                happened(connection, app, "key ended", act, id)
            return _key(connection, app, id)

    def fetch_key(self, app: str, id: str, act: Act) -> AppKey:
        with self._engine.begin() as connection:
            if _key(connection, app, id).fetched_at is not None:
                raise Conflict(f"the key {id} was downloaded already: add another one, and end this")
            connection.execute(update(app_keys).where(app_keys.c.id == id).values(fetched_at=act.now))
            happened(connection, app, "key fetched", act, id)
            return _key(connection, app, id)

    def add_grant(self, grant: Grant, act: Act) -> Grant:
        with self._engine.begin() as connection:
            _find(connection, grant.app)
            quota = {"quota": grant.quota and grant.quota.requests, "period": grant.quota.period if grant.quota else ""}
            places = None if grant.institutions is None else " ".join(sorted(grant.institutions))
            row = {name: getattr(grant, name) for name in ("app", "sdk", "versions", "begins_at", "ends_at")}
            values = row | quota | {"institutions": places, "scopes": " ".join(sorted(grant.scopes))}
            number = connection.execute(app_grants.insert().values(values).returning(app_grants.c.number)).scalar_one()
            happened(connection, grant.app, "granted", act, str(number))
            return _grants(connection, app_grants.c.number == number)[0]

    def grants(self, app: str) -> Sequence[Grant]:
        with self._reader.connect() as connection:
            _find(connection, app)
            return _grants(connection, app_grants.c.app == app)

    def revoke_grant(self, app: str, number: int, act: Act) -> Grant:
        one = and_(app_grants.c.app == app, app_grants.c.number == number)
        with self._engine.begin() as connection:
            found = _grants(connection, one, lock=True)
            if not found:
                raise NotFound(f"{app} has no grant {number}")
            if found[0].revoked_at is None:
                connection.execute(update(app_grants).where(one).values(revoked_at=act.now))
                happened(connection, app, "grant revoked", act, str(number))
            return _grants(connection, one)[0]

    def use(self, number: int, period: int, wanted: int, quota: int) -> int:
        mine = and_(grant_uses.c.grant_number == number, grant_uses.c.period == period)
        with self._engine.begin() as connection:
            first = upsert(connection)(grant_uses).values(grant_number=number, period=period, used=0)
            connection.execute(first.on_conflict_do_nothing())
            used: int = connection.execute(select(grant_uses.c.used).where(mine).with_for_update()).scalar_one()
            granted = max(0, min(wanted, quota - used))
            if granted:
                connection.execute(update(grant_uses).where(mine).values(used=used + granted))
            return granted

    def used(self, number: int, period: int) -> int:
        mine = and_(grant_uses.c.grant_number == number, grant_uses.c.period == period)
        with self._reader.connect() as connection:
            return connection.scalar(select(grant_uses.c.used).where(mine)) or 0

    def changes(self) -> int:
        with self._reader.connect() as connection:
            return connection.scalar(select(func.count()).select_from(sdk_events)) or 0

    def known(self, now: int) -> Known:
        alive = and_(callers.c.revoked_at.is_(None), sdk_apps.c.state != AppState.REVOKED)
        live = or_(app_keys.c.ends_at.is_(None), app_keys.c.ends_at > now)
        with self._reader.connect() as connection:
            apps = [_app(row) for row in connection.execute(_APPS.where(alive))]
            names = {app.name for app in apps}
            keys = [_key_of(row) for row in connection.execute(select(app_keys).where(live)) if row.app in names]
            grants = _grants(connection, and_(app_grants.c.revoked_at.is_(None), app_grants.c.ends_at > now))
            rows = connection.execute(select(sdks.c.name, sdks.c.version, sdks.c.platform, sdks.c.state)).all()
        return Known(apps, keys, grants, {SdkId(*row[:3]): SdkState(row.state) for row in rows})


def _find(connection: Connection, name: str, *, lock: bool = False) -> RegisteredApp:
    one = _APPS.where(sdk_apps.c.caller == name)
    row = connection.execute(one.with_for_update() if lock else one).one_or_none()
    if row is None:
        raise NotFound(f"no app is called {name}")
    return _app(row)


def _app(row: Row[Any]) -> RegisteredApp:
    state = AppState.REVOKED if row.revoked_at is not None else AppState(row.state)
    what = (row.caller, row.kind, row.owner, row.package, row.certificate, row.public_key)
    return RegisteredApp(*what, row.sandbox, state, row.created_at, row.report, row.rate)


def _keys(connection: Connection, app: str) -> list[AppKey]:
    rows = select(app_keys).where(app_keys.c.app == app).order_by(app_keys.c.created_at.desc(), app_keys.c.id)
    return [_key_of(row) for row in connection.execute(rows)]


def _key(connection: Connection, app: str, id: str) -> AppKey:
    """Its row is locked until the transaction ends."""
    one: Select[Any] = select(app_keys).where(app_keys.c.app == app, app_keys.c.id == id).with_for_update()
    row = connection.execute(one).one_or_none()
    if row is None:
        raise NotFound(f"{app} has no key {id}")
    return _key_of(row)


def _key_of(row: Row[Any]) -> AppKey:
    return AppKey(row.id, row.app, row.kind, row.created_at, row.sealed, row.public_key, row.ends_at, row.fetched_at)


def _grants(connection: Connection, which: Any, *, lock: bool = False) -> list[Grant]:
    rows = select(app_grants).where(which).order_by(app_grants.c.number)
    return [_grant(row) for row in connection.execute(rows.with_for_update() if lock else rows)]


def _grant(row: Row[Any]) -> Grant:
    """A scope that this program does not know gives nothing."""
    scopes = frozenset(map(Scope, _SCOPES & set(row.scopes.split())))
    places = None if row.institutions is None else frozenset(row.institutions.split())
    quota = None if row.quota is None else Quota(row.quota, row.period)
    time = (row.begins_at, row.ends_at)
    return Grant(row.app, row.sdk, row.versions, scopes, places, *time, quota, row.number, row.revoked_at)
