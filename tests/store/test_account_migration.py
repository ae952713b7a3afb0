"""From 0001 to now: whoever had a card has it."""

from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
import servers
from sqlalchemy import Engine, text

from ehc.cards.account import EventKind
from ehc.model import AccountState, Identity
from ehc.store import database
from ehc.store.sql_accounts import SqlAccountStore

PEOPLE = [
    (1, b"a" * 32, "AB" * 32, "01", "11010020171225006X", "电子健康卡", 1, 100, 1),
    (2, b"b" * 32, "CD" * 24, "03", "E00000000", "TEST PERSON", 2, 200, 0),  # an id of 48 digits
    (3, b"c" * 32, "EF" * 32, "01", "11010020171225006X", "测试", 1, 300, 1),  # the first one's document
]
EVENTS = [(1, 1, 100, None, 1), (2, 2, 200, None, 1), (3, 3, 300, None, 1), (4, 2, 201, 1, 0)]


def sqlite(folder: Path) -> Engine:
    engine = database.open_engine(f"sqlite:///{folder / 'a.db'}")
    database.create_file(engine)
    return engine


def postgres(_folder: Path) -> Engine:
    return database.open_engine(servers.new_postgres())


def at_0001(engine: Engine) -> None:
    config = database.alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")
        for person in PEOPLE:
            names = "account, mindex, card_id, id_type, id_number, name, key_version, registered_at, state"
            values = dict(zip("abcdefghi", person, strict=True))
            connection.execute(text(f"INSERT INTO accounts ({names}) VALUES (:a,:b,:c,:d,:e,:f,:g,:h,:i)"), values)
        for event in EVENTS:
            values = dict(zip("abcde", event, strict=True))
            connection.execute(text("INSERT INTO account_events VALUES (:a, :b, :c, :d, :e)"), values)


@pytest.mark.parametrize("empty", [sqlite, postgres])
def test_accounts_of_0001_stay(empty: Callable[[Path], Engine], tmp_path: Path) -> None:
    engine = empty(tmp_path)
    at_0001(engine)
    database.migrate(engine)
    store = SqlAccountStore(engine)
    first = store.card_of_document("01", "11010020171225006X")
    assert first is not None
    assert (first.account, first.identity, first.card_id) == (1, Identity(*PEOPLE[0][3:6]), "AB" * 32)
    passport = store.card("CD" * 24)
    assert passport is not None
    assert (passport.account, passport.state, passport.key_version) == (2, AccountState.CANCELLED, 2)
    assert [event.kind for event in store.history(2)] == [EventKind.REGISTERED, EventKind.CANCELLED]
    engine.dispose()


@pytest.mark.parametrize("empty", [sqlite, postgres])
def test_a_second_account_of_one_document_is_merged_into_the_first(
    empty: Callable[[Path], Engine], tmp_path: Path
) -> None:
    engine = empty(tmp_path)
    at_0001(engine)
    database.migrate(engine)
    store = SqlAccountStore(engine)
    first, second = store.card_of_account(1), store.card_of_account(3)
    assert store.card("EF" * 32) == store.card_of_mindex(b"c" * 32) == first
    assert second is not None
    assert (second.state, second.merged_into) == (AccountState.CANCELLED, 1)
    assert [event.kind for event in store.history(3)] == [EventKind.REGISTERED, EventKind.MERGED]
    engine.dispose()
