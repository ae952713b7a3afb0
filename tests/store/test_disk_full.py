"""A full disk: a clean error, nothing acknowledged lost, and work again when there is room."""

import multiprocessing
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from invented_cards import columns, new_card

from ehc.cards.account import Outcome
from ehc.errors import FileError, Unavailable
from ehc.store.backup import backup
from ehc.store.database import migrate, open_engine
from ehc.store.sql_accounts import SqlAccountStore

NOW = 1_700_000_000
ROWS = 1_000
FEW = 60  # batches: far more than there is room for


def people(batch: int) -> range:
    return range(batch * ROWS, (batch + 1) * ROWS)


def fill(store: SqlAccountStore) -> int:
    """How many batches were acknowledged before the disk was full."""
    for batch in range(FEW):
        try:
            store.register_columns(columns(people(batch)), NOW)
        except Unavailable:
            return batch
    return FEW


def check(store: SqlAccountStore, batches: int) -> None:
    """All that was acknowledged is there, nothing of the batch that failed; and there is room again."""
    for batch in range(batches):
        for i in (people(batch)[0], people(batch)[-1]):
            card = store.card(new_card(i).derived.card_id)
            assert card is not None
            assert [event.at for event in store.history(card.account)] == [NOW]
    assert store.card(new_card(people(batches)[0]).derived.card_id) is None
    assert not store.register_columns(columns(people(batches)), NOW).others
    again = store.register_columns(columns(people(0)), NOW)
    assert {one.outcome for one in again.others.values()} == {Outcome.EXISTING}


def _fill_within(url: str, limit: int, answer: multiprocessing.SimpleQueue) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    engine = open_engine(url)
    store = SqlAccountStore(engine)
    done = fill(store)
    with pytest.raises(Unavailable, match=r"a\.db does not answer"):
        store.register_columns(columns(people(done)), NOW)
    assert store.card(new_card(0).derived.card_id) is not None  # who reads goes on
    answer.put(done)
    engine.dispose()


@pytest.mark.parametrize("limit", [300_000, 2_500_000])
def test_sqlite_on_a_full_disk(tmp_path: Path, limit: int) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = open_engine(url)
    migrate(engine)
    store = SqlAccountStore(engine)
    store.register(new_card(0), NOW)
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.SimpleQueue = context.SimpleQueue()
    writer = context.Process(target=_fill_within, args=(url, limit, answer))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
    done = int(answer.get())
    assert done < FEW
    store.register(new_card(0), NOW)
    check(store, done) if done else None
    engine.dispose()


def _back_up_within(url: str, target: Path, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    with pytest.raises((Unavailable, FileError)):
        backup(open_engine(url), target)


def test_a_copy_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = open_engine(url)
    migrate(engine)
    SqlAccountStore(engine).register_columns(columns(people(0)), NOW)
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_back_up_within, args=(url, tmp_path / "copy", 100_000))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert not list(tmp_path.glob("copy*"))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """110 MiB of memory as a disk, where user postgres may go."""
    place = Path(tempfile.mkdtemp(prefix="ehc-disk-"))
    place.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=110m,mode=0777", "tmpfs", place]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode:
        place.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)
    place.rmdir()


def test_postgresql_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """It stops by itself when its log finds no room, and recovers when there is some."""
    filler = small_disk / "filler"
    filler.write_bytes(bytes(24 << 20))
    with servers.postgres(tmp_path, small_disk, max_wal_size="32MB", min_wal_size="32MB") as server:
        engine = open_engine(server.create("full"))
        migrate(engine)
        done = fill(SqlAccountStore(engine))
        assert 0 < done < FEW
        engine.dispose()
        filler.unlink()
        server.kill()
        server.start()
        check(SqlAccountStore(engine), done)
        engine.dispose()
