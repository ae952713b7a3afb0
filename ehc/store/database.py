"""Opening a database so that what was acknowledged survives a power loss; migrating it; is it current?"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry

from ehc.errors import ConfigError, Unavailable

BUSY_SECONDS = 30
"""How long a writer waits for the others before it gives up."""

READING = {"reading": True}
"""Execution options of a connection that only reads: it takes no write lock."""


def open_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL; no connection is made yet. Raises ConfigError for a URL that is none of ours.

    Trouble with the database itself is raised as Unavailable, from every use of the engine.
    """
    parsed = _parse(url)
    engine = sqlalchemy.create_engine(
        parsed, hide_parameters=True, pool_size=16, max_overflow=-1, connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine, "handle_error", _as_unavailable)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _parse(url: str) -> sqlalchemy.URL:
    try:
        parsed = sqlalchemy.make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError("database: not a URL; write sqlite:////folder/file.db") from error
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise ConfigError(f"database: {parsed.drivername} is not supported; write sqlite:////folder/file.db")
    return parsed


def _as_unavailable(context: ExceptionContext) -> None:
    error = context.original_exception
    if type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError):  # the others are faults of this program
        database = context.engine.url.database if context.engine else ""
        raise Unavailable(f"the database {database} does not answer: {error}") from error


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_immediate does
    connection.execute("PRAGMA synchronous = FULL")  # sync the log at every commit
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_immediate(connection: Connection) -> None:
    """Writers queue at the start: one that begins by reading could not become a writer behind another's back."""
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def create_file(engine: Engine) -> None:
    """Make the database file, for its owner alone, where there is none: SQLite gives its log the same permissions."""
    path = Path(str(engine.url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unavailable(f"the database file {path} cannot be opened: {error.strerror}") from error


def migrate(engine: Engine) -> None:
    """Bring the schema up to date; many processes may try at once. Raises Unavailable."""
    create_file(engine)
    with engine.connect().execution_options(**READING) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # is kept in the file
    config = _alembic()
    with engine.begin() as connection:
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def require_current(engine: Engine) -> None:
    """Raises Unavailable that says what to do, unless the database answers and has the schema of this program."""
    config = _alembic()
    with engine.connect().execution_options(**READING) as connection:
        _refuse_newer(connection, config)
        if _revision(connection) != _head(config):
            raise Unavailable("the database's schema is behind this program: start `ehc serve`, which brings it up")


def _alembic() -> alembic.config.Config:
    config = alembic.config.Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _head(config: alembic.config.Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection, config: alembic.config.Config) -> None:
    steps = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    revision = _revision(connection)
    if revision is not None and revision not in steps:
        raise Unavailable(f"the database's schema {revision} is newer than this program: install the newer ehc")
