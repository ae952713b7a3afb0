"""A short part of the campaign; registry_kills.py says how to run the long one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from physical import lines, record
from registry_kills import ROWS
from registry_kills import run as campaign
from services import settings_of

from ehc.store.import_run import ImportJob, opened
from ehc.store.registry_files import Missing
from ehc.wiring.keys import open_machine
from ehc.wiring.stores import open_registry


@pytest.mark.parametrize(
    ("what", "kind", "kills"),
    [("import", "sqlite", 4), ("import", "postgres", 3), ("sync", "sqlite", 2), ("sync", "postgres", 2)],
)
def test_whoever_imports_or_synchronises_may_be_killed_at_any_moment(what: str, kind: str, kills: int) -> None:
    assert f"{kills} kills" in campaign(what, kind, kills, seed=7)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[servers.Postgres]:
    """It writes its log when somebody waits for that, and hardly ever by itself."""
    with servers.postgres(tmp_path, wal_writer_delay="10s", wal_writer_flush_after="1GB") as started:
        yield started


def test_the_journal_is_never_ahead_of_the_database_s_disk(server: servers.Postgres, tmp_path: Path) -> None:
    """kill -9 of the server: what an import committed without waiting is lost, unless the journal counts it."""
    settings = settings_of(tmp_path / "home", database=server.create("cards"))
    file = tmp_path / "cards.csv"
    file.write_text(lines(record(i) for i in range(ROWS)), "utf-8")
    job = ImportJob(file=file, rejects=tmp_path / "rejects.csv", missing=Missing(), block_bytes=4096, checkpoint=0)
    machine = open_machine(settings)
    with open_registry(settings, machine, lazily=True) as registry, opened(job, registry, lambda: 0, "key") as run:
        work = iter(run)
        saved = next(work)
        server.kill()
        work.close()
    server.start()
    with open_registry(settings, machine, lazily=True) as registry:
        assert saved.rows <= registry.store.count() < ROWS
        with opened(job, registry, lambda: 0, "key") as run:
            assert run.done.rows == saved.rows
            assert list(run)[-1].rows == ROWS
        assert registry.store.count() == ROWS
