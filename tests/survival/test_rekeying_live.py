"""A province is re-keyed twice, back once and through once, while a service registers, renames and looks up: no look-up
fails. Real processes: `ehc serve` with two workers, `ehc keys rotate`."""

import http.client
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import servers
from invented_cards import person
from services import last_of_log, settings_of, wait_for
from sqlalchemy import text

from ehc.cards.bulk_registration import columns_of
from ehc.cli.serve import _environment, running_service
from ehc.config import Settings
from ehc.store.database import open_engine
from ehc.wiring.services import open_services

PEOPLE, LATE = 120, 10_000
JSON = {"Content-Type": "application/json"}


def rotate(settings: Settings, *words: str) -> str:
    command = [sys.executable, "-m", "ehc.cli", "keys", "rotate", "security_key", *words]
    done = subprocess.run(command, check=False, env=_environment(settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class Crowd:
    """good: ids that must find their cards now. missed: what did not, while it had to. A failure says all that the
    answer and the service's log said of it."""

    settings: Settings
    url: str
    good: tuple[str, ...]
    missed: list[str] = field(default_factory=list)
    asked: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    adding: threading.Lock = field(default_factory=threading.Lock)  # held while somebody registers, or changes `good`

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Over a connection of its own: either worker may get it."""
        with closing(http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), JSON)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def told(self, status: int, answer: Any) -> str:
        return f"{status} {json.dumps(answer, ensure_ascii=False)}\n{last_of_log(self.settings)}"

    def noting(self, job: Callable[[], None]) -> None:
        """What goes wrong in a thread."""
        try:
            job()
        except Exception as error:
            self.missed.append(f"{job.__name__}: {type(error).__name__} {error}")

    def look_up(self) -> None:
        while not self.ended.is_set():
            for number, card_id in enumerate(self.good):
                if number % 2:
                    status, found = self.ask("GET", f"/v1/cards/{card_id}")
                else:
                    shown = {"payload": f"{card_id}:1", "scene": "010101"}
                    status, found = self.ask("POST", "/v1/verify", shown)
                    status = status if found.get("accepted") else 0
                self.asked += 1
                self.ended.wait(0.01)
                if status != 200 and card_id in self.good:
                    self.missed.append(self.told(status, found))
                if self.ended.is_set():
                    return

    def register(self) -> None:
        """And rename every third; both ids are good from then on."""
        for i in range(LATE, LATE * 2):
            if self.ended.is_set():
                return
            with self.adding:
                self.good += tuple(self.registered(i))
            self.ended.wait(0.2)

    def registered(self, i: int) -> list[str]:
        """The ids that somebody new got, one after the other."""
        id_type, id_number, name = person(i)
        new = {"id_type": id_type, "id_number": id_number, "name": name}
        status, card = self.ask("POST", "/v1/cards", new)
        assert status == 201, self.told(status, card)
        given = [card["card_id"]]
        if i % 3 == 0:
            change = {"name": "测试", "reason": "married"}
            status, card = self.ask("POST", f"/v1/cards/{given[0]}/name", change)
            assert status == 200, self.told(status, card)
            given.append(card["card_id"])
        return given


@contextmanager
def crowd(settings: Settings, url: str, good: list[str]) -> Iterator[Crowd]:
    made = Crowd(settings, url, tuple(good))
    jobs = [made.look_up, made.look_up, made.register]
    threads = [threading.Thread(target=made.noting, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        for thread in threads:
            thread.join()


def ids(settings: Settings, version: int) -> list[str]:
    """All that there are under this version."""
    engine = open_engine(settings.database_url())
    of = "SELECT card_id FROM {} WHERE key_version = :v"
    query = f"{of.format('accounts')} UNION {of.format('rekeyed_cards')}"
    with engine.connect() as connection:
        found = [bytes(one).hex().upper() for one in connection.scalars(text(query), {"v": version})]
    engine.dispose()
    return found


def is_third(settings: Settings, given: list[str]) -> bool:
    return set(given) <= set(ids(settings, 3))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_no_look_up_fails_while_a_province_is_re_keyed(kind: str, tmp_path: Path) -> None:
    database = servers.migrated_postgres() if kind == "postgres" else ""
    settings = settings_of(tmp_path, database=database, workers=2)
    services = open_services(settings)
    services.bulk.register(columns_of([person(i) for i in range(PEOPLE)]), services.clock())
    services.close()
    first = ids(settings, 1)
    assert len(first) == PEOPLE
    with running_service(settings) as url, crowd(settings, url, first) as around:
        assert "phase ready" in rotate(settings)
        second = ids(settings, 2)
        around.good += tuple(second)
        rotate(settings, "flip")

        def shown(card_id: str) -> Any:
            return around.ask("GET", f"/v1/cards/{card_id}")[1].get("card_id")

        wait_for(lambda: all(shown(one) in second for one in first[:20]))
        with around.adding:  # nobody gets an id of the second version at the moment at which all of them end
            around.good = tuple(one for one in around.good if one in set(ids(settings, 1)))
            assert "rolled_back" in rotate(settings, "roll-back")
            wait_for(lambda: all(shown(one) == one for one in first[:20]))
        assert "phase ready" in rotate(settings)  # with a third version: the second is not used again
        third = ids(settings, 3)
        around.good += tuple(third)
        rotate(settings, "flip")
        wait_for(lambda: all(shown(one) in third for one in first[:20]))
        fresh = itertools.count(3 * LATE + 1, 3)
        for _ in range(10):  # of both workers
            wait_for(lambda: is_third(settings, around.registered(next(fresh))))
        with around.adding:
            around.good = tuple(third)
        rotate(settings, "retire")
        wait_for(lambda: all(shown(one) is None for one in first[:20]))
        assert all(shown(one) == one for one in third)
    assert not around.missed, "\n".join(around.missed)
    assert around.asked > PEOPLE
