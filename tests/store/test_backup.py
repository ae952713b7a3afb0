"""Copies of a database: whole, read again, restored only into nothing."""

import sqlite3
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import servers
from sqlalchemy import Engine

from ehc.cards.account import Change, Derived, EventKind, NewCard
from ehc.cards.invented import resident_id
from ehc.errors import Conflict, FileError, Unavailable
from ehc.model import AccountState, Identity
from ehc.store.backup import backup, restore
from ehc.store.database import migrate, open_engine
from ehc.store.sql_accounts import SqlAccountStore

NOW = 1_700_000_000
PEOPLE = 30


@dataclass
class Place:
    """A full database, and how to make an empty one beside it."""

    full: Engine
    make_empty: Callable[[], str]
    folder: Path


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    def make_empty() -> str:
        return servers.new_postgres() if request.param == "postgres" else f"sqlite:///{tmp_path / 'new' / 'b.db'}"

    url = servers.migrated_postgres() if request.param == "postgres" else f"sqlite:///{tmp_path / 'a.db'}"
    full = open_engine(url)
    migrate(full)
    store = SqlAccountStore(full)
    for i in range(PEOPLE):
        identity = Identity("01", resident_id(i), "甲\t\\乙" if i == 7 else "丙")
        store.register(NewCard(Derived(identity, b"%032d" % i, f"{i:064X}", 1), details={"phone": f"1{i}"}), NOW)
    store.apply(5, Change(EventKind.CANCELLED, frozenset(AccountState), state=AccountState.CANCELLED), NOW)
    yield Place(full, make_empty, tmp_path)
    full.dispose()


def test_what_is_restored_is_what_was_there(place: Place) -> None:
    file = place.folder / "copy"
    made = backup(place.full, file)
    assert (made.accounts, made.bytes) == (PEOPLE, file.stat().st_size)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(place.folder.glob("*.part"))
    new = open_engine(place.make_empty())
    assert restore(new, file).accounts == PEOPLE
    old_store, store = SqlAccountStore(place.full), SqlAccountStore(new)
    for account in range(1, PEOPLE + 1):
        card = store.card_of_account(account)
        assert card is not None
        assert card == old_store.card_of_account(account) == store.card(card.card_id)
        assert list(store.history(account)) == list(old_store.history(account))
        assert store.details(account) == {"phone": f"1{account - 1}"}
    identity = Identity("03", "E00000000", "TEST PERSON")
    later = store.register(NewCard(Derived(identity, b"m" * 32, "AB" * 32, 1)), NOW)
    assert later.account > PEOPLE + 10**9  # whoever was registered after the copy had one of those before
    new.dispose()


def test_a_taken_name_is_left_alone(place: Place) -> None:
    file = place.folder / "copy"
    file.write_bytes(b"of yesterday")
    with pytest.raises(Conflict, match="there already"):
        backup(place.full, file)
    assert file.read_bytes() == b"of yesterday"


def test_a_database_that_holds_something_is_left_alone(place: Place) -> None:
    file = place.folder / "copy"
    backup(place.full, file)
    with pytest.raises(Conflict, match="only"):
        restore(place.full, file)
    assert SqlAccountStore(place.full).card_of_account(PEOPLE) is not None


@pytest.mark.parametrize("damage", ["half", "bit", "other"])
def test_a_damaged_copy_is_refused_and_nothing_restored(place: Place, damage: str) -> None:
    file = place.folder / "copy"
    backup(place.full, file)
    content = bytearray(file.read_bytes())
    if damage == "half":
        del content[len(content) // 2 :]
    elif damage == "bit":
        content[_place_of_an_account(file)] ^= 1
    else:
        content[:] = b"a text and no copy of anything " * 500
    file.write_bytes(content)
    new = open_engine(place.make_empty())
    with pytest.raises(FileError):
        restore(new, file)
    migrate(new)
    assert SqlAccountStore(new).card_of_account(1) is None
    new.dispose()


def _place_of_an_account(file: Path) -> int:
    """A byte whose change no reader may miss: in SQLite the page of the schema's first table, in a zip its data."""
    if not zipfile.is_zipfile(file):
        with closing(sqlite3.connect(file)) as connection:
            [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'accounts_of_guardian'")
        return (int(page) - 1) * 4096
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("accounts.copy")
        return info.header_offset + 30 + len(info.filename) + info.compress_size // 2


def test_a_copy_that_cannot_be_written_leaves_nothing(place: Place) -> None:
    with pytest.raises(FileError, match="No such file or directory"):
        backup(place.full, place.folder / "nowhere" / "copy")
    (place.folder / "copy.part").write_bytes(b"")
    with pytest.raises(Conflict, match="another backup"):
        backup(place.full, place.folder / "copy")


def test_what_is_not_there_cannot_be_copied(place: Place) -> None:
    empty = open_engine(place.make_empty())
    with pytest.raises(Unavailable):
        backup(empty, place.folder / "copy")
    with pytest.raises(FileError, match="no such file"):
        restore(empty, place.folder / "copy")
    empty.dispose()


def test_a_copy_is_made_while_others_write(place: Place) -> None:
    """A transaction that is open has not happened for the copy, and does not hold it up."""
    with place.full.begin() as connection:
        connection.exec_driver_sql("DELETE FROM account_details")
        assert backup(place.full, place.folder / "copy").accounts == PEOPLE
    new = open_engine(place.make_empty())
    restore(new, place.folder / "copy")
    assert SqlAccountStore(new).details(1) == {"phone": "10"}
    new.dispose()
