"""What the SQL stores do beyond the contract: history, purging, and no person in an exception."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, exc, text

from ehc.model import AccountState, Identity
from ehc.store.database import migrate, open_engine
from ehc.store.sql import SqlCardStore

PERSON = Identity("01", "11010020171225006X", "电子健康卡")
NOW = 1_700_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(opened)
    yield opened
    opened.dispose()


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(str(engine.url.database))) as connection:
        return connection.execute(query).fetchall()


def test_every_change_of_state_is_an_event(engine: Engine) -> None:
    store = SqlCardStore(engine)
    card, _ = store.register(PERSON, b"m" * 32, "AB" * 32, 1, NOW)
    store.set_state(card.card_id, AccountState.NORMAL, NOW + 1)  # no change, no event
    store.set_state(card.card_id, AccountState.CANCELLED, NOW + 2)
    store.register(PERSON, b"m" * 32, "AB" * 32, 1, NOW + 3)
    store.register(PERSON, b"m" * 32, "AB" * 32, 1, NOW + 4)
    assert rows(engine, "SELECT account, at, state_before, state_after FROM account_events ORDER BY event") == [
        (card.account, NOW, None, 1),
        (card.account, NOW + 2, 1, 0),
        (card.account, NOW + 3, 0, 1),
    ]


def test_a_fault_of_ours_shows_no_parameters(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(exc.IntegrityError) as caught:
        connection.execute(text("INSERT INTO accounts (name) VALUES (:name)"), {"name": PERSON.name})
    assert PERSON.name not in str(caught.value)
