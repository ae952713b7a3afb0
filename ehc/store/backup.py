"""Copies of the database: written whole or not at all, read again before they count, restored only into nothing.

    SQLite       a database file, made by SQLite's online backup while the service runs
    PostgreSQL   a zip of one snapshot: manifest.json (revision, tables, digests, sequences) and a COPY text a table

The keyring is not in a copy: whoever has the one shall not have the other. Neither is hot state (claims, issued codes),
which is good for minutes. What was given after the copy was made is not given again, since codes with it may still be
about: account numbers go on LOST_ACCOUNTS further, serial numbers by the clock (serials.py).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from ehc.errors import Conflict, FileError, Unavailable
from ehc.store import postgres_archive
from ehc.store.database import known_revision, migrate, require_current, revision
from ehc.store.postgres_archive import LOST_ACCOUNTS

PAGES = 4096  # of SQLite, copied at a time: writers get their turn in between


class Copied(NamedTuple):
    accounts: int
    bytes: int


def backup(engine: Engine, target: Path) -> Copied:
    """Write a copy, read it again, and only then give it its name. Raises Conflict when the name is taken, Unavailable,
    FileError."""
    require_current(engine)
    if target.exists():
        raise Conflict(f"{target} is there already: choose another name")
    with _part_of(target) as part:
        if engine.dialect.name == "sqlite":
            accounts = _copy_sqlite(Path(str(engine.url.database)), part)
        else:
            accounts = postgres_archive.write(engine, part)
        _sync(part)
        size = part.stat().st_size
        os.rename(part, target)
    _sync(target.parent)
    return Copied(accounts, size)


def restore(engine: Engine, source: Path) -> Copied:
    """Fill an empty database from a copy and bring its schema up to date. Raises Conflict when the database is not
    empty, FileError when the copy is not whole, Unavailable."""
    if not source.is_file():
        raise FileError(f"{source}: no such file")
    accounts = _restore_sqlite(engine, source) if engine.dialect.name == "sqlite" else _restore_postgres(engine, source)
    migrate(engine)
    return Copied(accounts, source.stat().st_size)


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file beside the target, for its owner alone; gone when it did not become the target."""
    part = target.with_name(target.name + ".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise Conflict(f"{part} is there: another backup is at work, or was killed; delete it then") from None
    except OSError as error:
        raise FileError(f"{part}: {error.strerror}") from error
    try:
        yield part
    except OSError as error:
        raise FileError(f"{part}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _copy_sqlite(source: Path, target: Path) -> int:
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new, pages=PAGES, sleep=0.01)
        return _check_sqlite(target)
    except sqlite3.Error as error:
        raise Unavailable(f"copying {source} to {target} failed: {error}") from error


def _check_sqlite(file: Path) -> int:
    """How many accounts this database has. Raises FileError unless every page of it is sound."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            [(found,), *_more] = connection.execute("PRAGMA integrity_check(1)").fetchall()
            if found != "ok":
                raise FileError(f"{file} is damaged: {found}")
            [(step,)] = connection.execute("SELECT version_num FROM alembic_version")
            known_revision(step)
            [(accounts,)] = connection.execute("SELECT count(*) FROM accounts")
    except sqlite3.Error as error:
        raise FileError(f"{file} is no copy of an ehc database: {error}") from error
    return int(accounts)


def _restore_sqlite(engine: Engine, source: Path) -> int:
    accounts = _check_sqlite(source)
    target = Path(str(engine.url.database))
    if target.exists() and target.stat().st_size:
        raise Conflict(f"{target} is there: a copy is restored only where no database is; move it away first")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _part_of(target) as part:
        _copy_sqlite(source, part)
        _skip_lost_accounts(part)
        _sync(part)
        os.rename(part, target)
    _sync(target.parent)
    return accounts


def _skip_lost_accounts(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        if not connection.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'accounts'").fetchone():
            connection.execute("INSERT INTO sqlite_sequence VALUES ('accounts', 0)")
        connection.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'accounts'", (LOST_ACCOUNTS,))


def _restore_postgres(engine: Engine, source: Path) -> int:
    if revision(engine) is not None:
        raise Conflict("the database is not empty: a copy is restored only into a new one (createdb)")
    return postgres_archive.read(engine, source)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
