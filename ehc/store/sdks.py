"""SqlSdkStore: releases of SDKs and their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, and_, delete, select, update
from sqlalchemy.exc import IntegrityError

from ehc.errors import Conflict, NotFound
from ehc.sdkauth.act import Act
from ehc.sdkauth.sdk import Release, Sdk, SdkId, SdkState
from ehc.store.database import reader
from ehc.store.tables import sdk_events, sdk_files, sdks


def happened(connection: Connection, subject: str, what: str, act: Act, note: str = "") -> None:
    """note: in place of why."""
    row = {"at": act.now, "subject": subject, "what": what, "who": act.by, "note": note or act.why}
    connection.execute(sdk_events.insert().values(row))


class SqlSdkStore:
    """sdkauth.sdk.SdkStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, reader(engine)

    def add(self, sdk: Sdk, act: Act) -> None:
        row = sdk.id._asdict() | {"state": sdk.state, "created_at": sdk.created_at, "note": sdk.note}
        try:
            with self._engine.begin() as connection:
                connection.execute(sdks.insert().values(row))
                happened(connection, str(sdk.id), "added", act)
        except IntegrityError:
            raise Conflict(f"{sdk.id} is there already: another release has another version") from None

    def find(self, id: SdkId) -> Sdk:
        with self._reader.connect() as connection:
            return _find(connection, id)

    def all(self, name: str | None = None) -> Sequence[Sdk]:
        rows = select(sdks).order_by(sdks.c.name, sdks.c.platform, sdks.c.version)
        if name is not None:
            rows = rows.where(sdks.c.name == name)
        with self._reader.connect() as connection:
            return [_sdk(row) for row in connection.execute(rows)]

    def put_file(self, id: SdkId, parts: Iterable[bytes], digest: bytes, size: int, act: Act) -> Sdk:
        with self._engine.begin() as connection:
            found = _find(connection, id, lock=True)
            if found.state is not SdkState.DRAFT:
                raise Conflict(f"{id} is {found.state.value}: its file changes in draft alone")
            connection.execute(delete(sdk_files).where(_is(sdk_files, id)))
            for i, part in enumerate(parts):
                connection.execute(sdk_files.insert().values(id._asdict() | {"part": i, "data": part}))
            connection.execute(update(sdks).where(_is(sdks, id)).values(digest=digest, size=size))
            happened(connection, str(id), "file", act, digest.hex().upper())
            return _find(connection, id)

    def file(self, id: SdkId) -> Iterator[bytes]:
        part = select(sdk_files.c.data).where(_is(sdk_files, id))
        number = 0
        while True:
            with self._reader.connect() as connection:
                data: bytes | None = connection.scalar(part.where(sdk_files.c.part == number))
            if data is None:
                return
            yield data
            number += 1

    def move(self, id: SdkId, old: SdkState, new: SdkState, release: Release | None, act: Act) -> Sdk:
        values: dict[str, Any] = {"state": new} | (release._asdict() if release else {})
        with self._engine.begin() as connection:
            if _find(connection, id, lock=True).state is not old:
                raise Conflict(f"{id} has just been changed by somebody else: look at it again")
            connection.execute(update(sdks).where(_is(sdks, id)).values(values))
            happened(connection, str(id), new, act)
            return _find(connection, id)


def _is(table: Table, id: SdkId) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in id._asdict().items()))


def _find(connection: Connection, id: SdkId, *, lock: bool = False) -> Sdk:
    one = select(sdks).where(_is(sdks, id))
    row = connection.execute(one.with_for_update() if lock else one).one_or_none()
    if row is None:
        raise NotFound(f"there is no SDK {id}")
    return _sdk(row)


def _sdk(row: Row[Any]) -> Sdk:
    id = SdkId(row.name, row.version, row.platform)
    file = (row.size, row.digest, row.signature, row.signed_by)
    return Sdk(id, SdkState(row.state), row.created_at, row.note, *file)
