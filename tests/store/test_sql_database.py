import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import servers
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Table

from ehc.errors import ConfigError, Unavailable
from ehc.store.database import create_file, migrate, open_engine, require_current
from ehc.store.tables import ONLY, metadata


def engine_at(file: Path) -> Engine:
    return open_engine(f"sqlite:///{file}")


def postgres(_folder: Path) -> Engine:
    return open_engine(servers.new_postgres())


def sqlite(folder: Path) -> Engine:
    return engine_at(folder / "a.db")


@pytest.mark.parametrize("empty", [sqlite, postgres])
def test_the_migrations_lead_to_the_tables(empty: Callable[[Path], Engine], tmp_path: Path) -> None:
    engine = empty(tmp_path)
    migrate(engine)

    def is_ours(table: object, name: str, kind: str, *_: object) -> bool:
        only = table.info.get(ONLY) if isinstance(table, Table) else None
        return not name.startswith("accounts_part_") and only in (None, engine.dialect.name)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("empty", [sqlite, postgres])
def test_nothing_is_current_before_it_is_migrated(empty: Callable[[Path], Engine], tmp_path: Path) -> None:
    engine = empty(tmp_path)
    if engine.dialect.name == "sqlite":
        create_file(engine)
    with pytest.raises(Unavailable, match="run `ehc migrate`"):
        require_current(engine)
    migrate(engine)
    require_current(engine)
    engine.dispose()


def test_many_may_migrate_postgresql_at_once() -> None:
    url = servers.new_postgres()

    def migrate_apart(_: int) -> None:
        engine = open_engine(url)
        migrate(engine)
        require_current(engine)
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate_apart, range(4)))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    engine = open_engine(f"postgresql://postgres@127.0.0.1:{servers.free_port()}/ehc")
    with pytest.raises(Unavailable, match="the database ehc does not answer"):
        require_current(engine)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "a.db")
    migrate(engine)
    migrate(engine)
    require_current(engine)
    engine.dispose()


def test_many_may_migrate_at_once(tmp_path: Path) -> None:
    def migrate_apart(_: int) -> None:
        engine = engine_at(tmp_path / "a.db")
        migrate(engine)
        require_current(engine)
        engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(migrate_apart, range(6)))


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "a.db")
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for use in (require_current, migrate):
        with pytest.raises(Unavailable, match="9999 is newer"):
            use(engine)
    engine.dispose()


def test_commits_are_synced_and_logged_ahead(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "a.db")
    migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "new" / "a.db")
    migrate(engine)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}
    engine.dispose()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "a.db")
    migrate(engine)
    with engine.begin():
        require_current(engine)
    engine.dispose()


@pytest.mark.parametrize("content", [b"this is no database, just a text of some length" * 100])
def test_a_file_that_is_no_database_is_unavailable_and_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.db").write_bytes(content)
    engine = engine_at(tmp_path / "a.db")
    with pytest.raises(Unavailable, match=r"a\.db does not answer: file is not a database"):
        migrate(engine)
    engine.dispose()


def test_a_folder_in_the_file_s_place_is_unavailable(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    with pytest.raises(Unavailable, match="Is a directory"):
        migrate(engine)
    with pytest.raises(Unavailable, match="unable to open"):
        require_current(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite://", "sqlite:///:memory:", "postgresql://host", "mysql://host/ehc"]
)
def test_a_url_of_neither_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"write sqlite:////folder/file\.db"):
        open_engine(url)
