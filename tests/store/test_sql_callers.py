"""Callers and looks in a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ehc.access.caller import Scope, new_caller
from ehc.access.looks import Look
from ehc.config import Settings
from ehc.errors import Conflict, NotFound
from ehc.wiring.stores import Stores, open_store

CLINIC = new_caller("clinic", ["verify", "codes"], "H-1", 50)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Stores]:
    opened = open_store(Settings(home=str(tmp_path)))
    yield opened
    opened.close()


def test_every_change_has_another_version_and_none_has_0(store: Stores) -> None:
    versions = [store.callers.version()]
    store.callers.add(CLINIC, b"a" * 32, 1)
    versions.append(store.callers.version())
    store.callers.rotate("clinic", b"b" * 32, 2, 3)
    versions.append(store.callers.version())
    store.callers.revoke("clinic", 4)
    versions.append(store.callers.version())
    assert versions[0] == 0
    assert len(set(versions)) == 4


def test_a_key_is_known_with_its_caller_until_it_ends(store: Stores) -> None:
    store.callers.add(CLINIC, b"a" * 32, 1)
    store.callers.rotate("clinic", b"b" * 32, 10, 20)
    known = {key.digest[:1]: key for key in store.callers.keys(19)}
    assert known[b"a"].caller == known[b"b"].caller == CLINIC
    assert (known[b"a"].ends_at, known[b"b"].ends_at) == (20, None)
    assert [key.digest[:1] for key in store.callers.keys(20)] == [b"b"]


def test_a_second_rotation_does_not_make_an_old_key_last_longer(store: Stores) -> None:
    store.callers.add(CLINIC, b"a" * 32, 1)
    store.callers.rotate("clinic", b"b" * 32, 10, 20)
    store.callers.rotate("clinic", b"c" * 32, 11, 90)
    ends = {key.digest[:1]: key.ends_at for key in store.callers.keys(12)}
    assert ends == {b"a": 20, b"b": 90, b"c": None}


def test_a_revoked_caller_has_no_key(store: Stores) -> None:
    store.callers.add(CLINIC, b"a" * 32, 1)
    store.callers.revoke("clinic", 5)
    assert store.callers.keys(5) == []
    (one,) = store.callers.all(5)
    assert (one.revoked_at, one.keys) == (5, 0)


def test_a_name_and_a_digest_are_given_once(store: Stores) -> None:
    store.callers.add(CLINIC, b"a" * 32, 1)
    with pytest.raises(Conflict, match="clinic"):
        store.callers.add(CLINIC, b"b" * 32, 2)
    with pytest.raises(Conflict):
        store.callers.add(new_caller("other", ["verify"]), b"a" * 32, 2)
    assert [one.caller.name for one in store.callers.all(3)] == ["clinic"]  # nothing half-made
    with pytest.raises(NotFound):
        store.callers.rotate("other", b"c" * 32, 3, 3)


def test_a_scope_that_this_program_does_not_know_gives_nothing(store: Stores, tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    store.callers.add(CLINIC, b"a" * 32, 1)
    with closing(sqlite3.connect(tmp_path / "ehc.db")) as connection, connection:
        connection.execute("UPDATE callers SET scopes = 'verify of-tomorrow'")
    (key,) = store.callers.keys(2)
    assert key.caller.scopes == {Scope.VERIFY}


def test_looks_are_kept_in_order_and_found_by_person(store: Stores) -> None:
    looks = [Look(i, "clinic", "show_plain", account, "投诉", f"r{i}") for i, account in enumerate([7, 8, 7, None])]
    for look in looks:
        store.looks.record(look)
    assert store.looks.looks() == looks[::-1]
    assert store.looks.looks(7) == [looks[2], looks[0]]
    assert store.looks.looks(limit=1) == [looks[3]]
