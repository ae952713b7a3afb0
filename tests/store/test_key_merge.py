"""Recent keys in SQLite: found while they wait, while they move, and after."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from invented_cards import columns, new_card, person
from sqlalchemy import Engine, text

from ehc.store import key_merge
from ehc.store.database import migrate, open_engine
from ehc.store.recent_keys import Entries, run_of
from ehc.store.sql_accounts import SqlAccountStore

NOW = 1_700_000_000
ROWS = 600


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(key_merge, "LEAST", 3 * ROWS)
    monkeypatch.setattr(key_merge, "MOST", 3 * ROWS)
    opened = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(opened)
    yield opened
    opened.dispose()


def counted(engine: Engine) -> dict[str, int]:
    """How many keys each table has, how many runs wait, and whether a merge goes on."""
    with engine.connect() as connection:
        return {
            "documents": connection.scalar(text("SELECT count(*) FROM document_keys")) or 0,
            "cards": connection.scalar(text("SELECT count(*) FROM card_keys")) or 0,
            "mindexes": connection.scalar(text("SELECT count(*) FROM mindex_keys")) or 0,
            "runs": connection.scalar(text("SELECT count(*) FROM recent_keys")) or 0,
            "merging": connection.scalar(text("SELECT count(*) FROM key_merges")) or 0,
        }


def batch(number: int) -> range:
    return range(number * ROWS, (number + 1) * ROWS)


def test_keys_are_found_at_every_step_of_a_merge(engine: Engine) -> None:
    store, elsewhere = SqlAccountStore(engine), SqlAccountStore(engine)
    accounts, seen = {}, []
    for number in range(9):
        accounts |= zip(
            batch(number), store.register_columns(columns(batch(number)), NOW).account.tolist(), strict=True
        )
        seen.append(counted(engine))
        for i in range(0, (number + 1) * ROWS, 97):
            derived = new_card(i).derived
            for card in (store.card(derived.card_id), elsewhere.card_of_mindex(derived.mindex)):
                assert card is not None
                assert card.account == accounts[i]
            found = elsewhere.card_of_document(*person(i)[:2])
            assert found is not None
            assert found.account == accounts[i]
    assert [one["runs"] for one in seen[:3]] == [1, 2, 3]
    assert any(one["merging"] and one["documents"] and not one["mindexes"] for one in seen)  # caught on its way
    assert seen[-1]["documents"] >= 3 * ROWS
    assert seen[-1]["runs"] < 9


def test_who_is_being_merged_is_known(engine: Engine) -> None:
    store = SqlAccountStore(engine)
    for number in range(7):
        first = store.register_columns(columns(batch(number)), NOW)
        for known in range(number + 1):
            again = SqlAccountStore(engine).register_columns(columns(batch(known)), NOW)
            assert len(again.others) == ROWS
        assert store.register_columns(columns(batch(number)), NOW).account.tolist() == first.account.tolist()


def test_the_keys_of_a_small_batch_go_into_the_tables_at_once(engine: Engine) -> None:
    SqlAccountStore(engine).register_columns(columns(range(100)), NOW)
    assert counted(engine) == {"documents": 100, "cards": 100, "mindexes": 100, "runs": 0, "merging": 0}


def test_a_run_gives_back_each_key_with_its_account() -> None:
    keys = np.array([5, -7, 9, -(2**63), 2**63 - 1], np.int64)
    entries = Entries.of(run_of(keys), 1_000)
    assert dict(zip(entries.keys.tolist(), entries.accounts.tolist(), strict=True)) == {
        key: 1_000 + place for place, key in enumerate(keys.tolist())
    }
    assert entries.keys.tolist() == sorted(keys.tolist())
