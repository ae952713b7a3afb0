"""Opening a database so that what was acknowledged survives a power loss; migrating it; is it current?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import psycopg
import sqlalchemy
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry

from ehc.errors import ConfigError, Unavailable

BUSY_SECONDS = 30
"""How long a writer waits for the others, or anybody for a lock of somebody else, before it gives up."""

CONNECT_SECONDS = 5
"""How long a connection to a server may take."""

_CONNECT: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}

READING = {"reading": True}
"""Execution options of a connection that only reads: it takes no write lock."""

WRITE_WAY = "write sqlite:////folder/file.db or postgresql://user@host/database"

SQLITE = (
    "PRAGMA synchronous = FULL",  # sync the log at every commit
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",  # KiB a connection
    "PRAGMA wal_autocheckpoint = 16000",  # pages: a batch dirties hundreds, many of them again in the next
)

WHOLE_TABLES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""Settings of PostgreSQL for the ways to answer that may read a whole table."""

INDEXED = " ".join(
    f"-c {setting}" for setting in ("plan_cache_mode=force_generic_plan", *(f"{way}=off" for way in WHOLE_TABLES))
)
"""Of connections that look up."""

MIGRATION_LOCK = 0x65686331  # advisory: any number, always this


def open_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL; no connection is made yet. Raises ConfigError for a URL that is none of ours.

    Trouble with the database itself is raised as Unavailable, from every use of the engine.
    """
    parsed = _parse(url)
    on_sqlite = parsed.get_backend_name() == "sqlite"
    return _engine(parsed, connect_args={"timeout": BUSY_SECONDS} if on_sqlite else _CONNECT)


def _engine(url: sqlalchemy.URL, **options: Any) -> Engine:
    engine = sqlalchemy.create_engine(url, hide_parameters=True, pool_size=16, max_overflow=-1, **options)
    event.listen(engine, "handle_error", _as_unavailable)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def commit_lazily(engine: Engine) -> None:
    """PostgreSQL: from now on a commit of this engine is seen by all at once, and on the disk at the next `settle` at
    the latest. For work that keeps its own record of how far it came, and is done again from there after a crash."""
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _do_not_wait)


def _do_not_wait(connection: psycopg.Connection[Any], _entry: ConnectionPoolEntry) -> None:
    connection.execute("SET synchronous_commit = off")
    connection.commit()


def keep_pages(engine: Engine) -> None:
    """SQLite: connections made from now on keep up to 256 MiB of pages. For work whose keys lie all over a table: to
    read a page again for the next ones takes as long as putting ten of them in."""
    if engine.dialect.name == "sqlite":
        engine.dispose()
        event.listen(engine, "connect", _keep_pages)


def _keep_pages(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA cache_size = -262144")


def settle(engine: Engine) -> None:
    """What was committed before is on the disk now. Raises Unavailable.

    The log is written in its order; a commit that waits, and has written something, waits for all before it."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO DEFAULT")
            connection.exec_driver_sql("SELECT pg_logical_emit_message(true, 'ehc', 'settled')")


def _parse(url: str) -> sqlalchemy.URL:
    try:
        parsed = sqlalchemy.make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError(f"database: not a URL; {WRITE_WAY}") from error
    if parsed.drivername in ("postgresql", "postgresql+psycopg") and parsed.database:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise ConfigError(f"database: {parsed.drivername} is not supported; {WRITE_WAY}")
    return parsed


def reader(engine: Engine) -> Engine:
    """The engine for single statements that only read."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**READING)
    return engine.execution_options(isolation_level="AUTOCOMMIT")  # no round trips for BEGIN and ROLLBACK


def looking_up(engine: Engine) -> Engine:
    """The engine for look-ups of single accounts. Over PostgreSQL it has connections of its own, which plan a statement
    once and go through indexes, whatever was counted last: planning anew takes longer than the answer.
    """
    if engine.dialect.name == "sqlite":
        return reader(engine)
    own = _engine(engine.url, connect_args=_CONNECT | {"options": INDEXED}, isolation_level="AUTOCOMMIT")
    event.listen(engine, "engine_disposed", lambda _: own.dispose())
    return own


def upsert(connection: Connection) -> Callable[..., Any]:
    """INSERT that knows ON CONFLICT, which is spelled alike in both dialects."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def without_values(error: psycopg.Error) -> psycopg.Error:
    """The error without the server's DETAIL, which shows the row: people's names and numbers."""
    error.args = (error.diag.message_primary or str(error).partition("\n")[0],)
    return error


def unavailable(name: str | None, error: BaseException) -> Unavailable:
    return Unavailable(f"the database {name} does not answer: {error}")


def _as_unavailable(context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, psycopg.Error):
        without_values(error)
        if context.sqlalchemy_exception:  # has taken the text already
            context.sqlalchemy_exception.args = (f"({type(error).__name__}) {error}",)
    trouble = type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError)  # the others are faults of this program
    if trouble or isinstance(error, psycopg.OperationalError):
        raise unavailable(context.engine.url.database if context.engine else "", error) from error


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_immediate does
    for pragma in SQLITE:
        connection.execute(pragma)


def _set_up_postgresql(connection: psycopg.Connection[Any], _entry: ConnectionPoolEntry) -> None:
    connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'".encode())
    connection.execute("SET jit = off")  # compiling a page's query for 16 partitions takes longer than its answer
    connection.commit()


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
    on_sqlite = engine.dialect.name == "sqlite"
    if on_sqlite:
        create_file(engine)
        with engine.connect().execution_options(**READING) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # is kept in the file
    config = alembic_config()
    with engine.begin() as connection:
        migration_lock(connection)
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def migration_lock(connection: Connection) -> None:
    """One migrates at a time, until this transaction ends; in SQLite every writer is alone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # whoever migrates takes its time
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))


def require_current(engine: Engine) -> None:
    """Raises Unavailable that says what to do, unless the database answers and has the schema of this program."""
    config = alembic_config()
    with reader(engine).connect() as connection:
        _refuse_newer(connection, config)
        if _revision(connection) != _head(config):
            raise Unavailable("the database's schema is behind this program: run `ehc migrate`")


def revision(engine: Engine) -> str | None:
    """The step that the database stands at; None for an empty one."""
    with reader(engine).connect() as connection:
        return _revision(connection)


def alembic_config() -> alembic.config.Config:
    """What Alembic's commands need; `attributes["connection"]` stands in a transaction."""
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
    known_revision(_revision(connection), config)


def known_revision(step: str | None, config: alembic.config.Config | None = None) -> None:
    """Raises Unavailable for a step that this program has not."""
    steps = {one.revision for one in ScriptDirectory.from_config(config or alembic_config()).walk_revisions()}
    if step is not None and step not in steps:
        raise Unavailable(f"the database's schema {step} is newer than this program: install the newer ehc")
