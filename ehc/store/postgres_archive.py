"""A PostgreSQL database as a zip file: what all its tables held at one moment.

Text as COPY writes it, which every version of PostgreSQL reads; no program of PostgreSQL's is needed.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import alembic.command
import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from ehc.errors import FileError
from ehc.store.bulk_postgres import driver
from ehc.store.database import alembic_config, known_revision, migration_lock
from ehc.store.tables import ONLY, metadata

FORMAT = "ehc-postgresql-1"
MANIFEST = "manifest.json"
CHUNK = 1 << 20

LOST_ACCOUNTS = 1 << 30
"""More than can have been registered since a copy was made: these numbers are skipped. In blocks of bulk_postgres."""

_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
_SKIP = (
    "SELECT setval(name::regclass, nextval(name::regclass) + %s)"
    " FROM (VALUES (pg_get_serial_sequence('accounts', 'account')), ('account_blocks')) AS numbers (name)"
)


class _Table(msgspec.Struct, frozen=True):
    columns: list[str]
    rows: int
    sha256: str


class _Manifest(msgspec.Struct, frozen=True):
    format: str
    revision: str
    tables: dict[str, _Table]
    sequences: dict[str, int | None]  # None: never used


def write(engine: Engine, file: Path) -> int:
    """How many accounts are in it; the file has been read again."""
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    packed = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with snapshot.begin() as connection, driver(connection) as raw, packed as archive:
        tables = {name: _copy_out(raw, archive, name, columns) for name, columns in _tables().items()}
        step = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
        sequences = dict(raw.execute(_SEQUENCES).fetchall())
        archive.writestr(MANIFEST, msgspec.json.encode(_Manifest(FORMAT, step, tables, sequences)))
    return _check(file).tables["accounts"].rows


def read(engine: Engine, file: Path) -> int:
    """Into an empty database, whole or not at all; how many accounts there are now."""
    manifest = _check(file)
    config = alembic_config()
    with engine.begin() as connection, driver(connection) as raw, zipfile.ZipFile(file) as archive:
        migration_lock(connection)
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, manifest.revision)
        for name, table in manifest.tables.items():
            _copy_in(raw, archive, name, table)
        for name, value in manifest.sequences.items():
            if value is not None:
                raw.execute("SELECT setval(%s::regclass, %s)", (name, value))
        raw.execute(_SKIP, (LOST_ACCOUNTS,))
        _recount(connection, raw, manifest)
    return manifest.tables["accounts"].rows


def _tables() -> dict[str, list[str]]:
    return {
        str(table.name): [str(column.name) for column in table.columns]
        for table in metadata.sorted_tables
        if table.info.get(ONLY) in (None, "postgresql")
    }


def _copy_out(raw: psycopg.Connection[Any], archive: zipfile.ZipFile, name: str, columns: list[str]) -> _Table:
    wanted = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(wanted, sql.Identifier(name))
    digest, rows = hashlib.sha256(), 0
    with archive.open(_entry(name), "w", force_zip64=True) as out, raw.cursor() as cursor, cursor.copy(query) as copy:
        for part in copy:
            out.write(part)
            digest.update(part)
            rows += bytes(part).count(b"\n")
    return _Table(columns, rows, digest.hexdigest())


def _copy_in(raw: psycopg.Connection[Any], archive: zipfile.ZipFile, name: str, table: _Table) -> None:
    wanted = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), wanted)
    with archive.open(_entry(name)) as source, raw.cursor() as cursor, cursor.copy(query) as copy:
        while part := source.read(CHUNK):
            copy.write(part)


def _recount(connection: Connection, raw: psycopg.Connection[Any], manifest: _Manifest) -> None:
    for name, table in manifest.tables.items():
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
        [found] = raw.execute(query).fetchone() or [0]
        if found != table.rows:
            raise FileError(f"table {name}: {found:,} rows were restored of {table.rows:,}")


def _entry(name: str) -> str:
    return f"{name}.copy"


def _check(file: Path) -> _Manifest:
    """Raises FileError unless every byte of it is as it was written."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = msgspec.json.decode(archive.read(MANIFEST), type=_Manifest)
            damaged = [name for name, table in manifest.tables.items() if not _is_whole(archive, name, table)]
    except (zipfile.BadZipFile, zlib.error, KeyError, msgspec.MsgspecError, EOFError) as error:
        raise FileError(f"{file} is no whole copy of an ehc database: {error}") from error
    if damaged or manifest.format != FORMAT or "accounts" not in manifest.tables:
        raise FileError(f"{file} is damaged or of another format: {', '.join(damaged) or manifest.format}")
    known_revision(manifest.revision)
    return manifest


def _is_whole(archive: zipfile.ZipFile, name: str, table: _Table) -> bool:
    with archive.open(_entry(name)) as source:
        return _digest(source) == table.sha256


def _digest(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := source.read(CHUNK):
        digest.update(part)
    return digest.hexdigest()
