"""A database that answers nobody for a while: others are served meanwhile, and nothing is lost or half done after."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
import servers
from invented_cards import new_card
from services import settings_of

from ehc.cards.account import Outcome
from ehc.cli.serve import running_service
from ehc.errors import Unavailable
from ehc.store import database
from ehc.store.sql_accounts import SqlAccountStore

WAITING = 60  # requests: more than a worker has threads


def passport(i: int) -> dict[str, str]:
    return {"id_type": "03", "id_number": f"E{i:08}", "name": "TEST PERSON"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, httpx.Client]]:
    """Its URL, that of its database, and a client."""
    place = servers.new_postgres()
    settings = settings_of(tmp_path_factory.mktemp("slow"), database=place)
    with running_service(settings) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield url, place.replace("+psycopg", ""), client


def lock(place: str) -> psycopg.Connection[Any]:
    """A session of somebody else that holds what registering writes to."""
    session = psycopg.connect(place)
    session.execute("LOCK TABLE accounts, account_events, document_keys IN ACCESS EXCLUSIVE MODE")
    return session


def test_while_the_database_waits_others_are_served_and_then_all_have_an_answer(
    service: tuple[str, str, httpx.Client],
) -> None:
    url, place, client = service
    card = client.post("/v1/cards", json=passport(0)).json()["card_id"]
    shown = {"payload": f"{card}:1", "scene": "010101"}
    assert client.post("/v1/verify", json=shown).json()["accepted"]
    answers: dict[int, httpx.Response] = {}

    def register(i: int) -> None:
        answers[i] = httpx.post(f"{url}/v1/cards", json=passport(i), timeout=60)

    waiting = [threading.Thread(target=register, args=(i,)) for i in range(1, WAITING)]
    with lock(place) as session:
        for thread in waiting:
            thread.start()
        time.sleep(0.5)
        slowest = 0.0
        for _ in range(20):
            begun = time.monotonic()
            assert client.get("/health").is_success
            verified = client.post("/v1/verify", json=shown)
            assert verified.status_code == 200, verified.text
            assert verified.json()["accepted"]
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.1)
        assert not answers  # all of them do wait
        session.rollback()
    for thread in waiting:
        thread.join()
    assert slowest < 3, slowest
    assert {answer.status_code for answer in answers.values()} == {201}
    for i in range(1, WAITING):
        again = client.post("/v1/cards", json=passport(i))
        assert (again.status_code, again.json()["card_id"]) == (200, answers[i].json()["card_id"])
    assert client.get("/ready").is_success


def test_whoever_waits_for_a_lock_too_long_is_told_and_nothing_is_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 1)
    url = servers.migrated_postgres()
    engine = database.open_engine(url)
    store = SqlAccountStore(engine)
    with lock(url.replace("+psycopg", "")) as session:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="lock timeout"):
            store.register(new_card(0), 1)
        assert time.monotonic() - begun < 5
        session.rollback()
    assert store.register(new_card(0), 1).outcome is Outcome.CREATED
    engine.dispose()
