"""kill -9 of a worker, of Redis or of PostgreSQL, again and again while a service registers, issues and verifies.

    PYTHONPATH=tests python tests/survival/service_kills.py --kills 1000 --seed 1
    PYTHONPATH=tests python tests/survival/service_kills.py --kills 1000 --seed 1 --embedded --state kills.json

Two workers over PostgreSQL and Redis, or over SQLite and mapped files, where workers alone are killed. What was killed
is started again, a worker by the service itself, Redis and PostgreSQL as an init system would; nobody does more.
After each kill: every acknowledged registration is there, one without an answer is there whole or not at all, an issued
code is accepted, one that was accepted is not accepted again, and while Redis was away nothing was accepted. Every
answer is one of success or 503. Ctrl-C ends it early, with what was dealt and checked until then; with --state that
stands in a file, and the next run, with a seed of its own, goes on from there.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import servers
from rich.console import Console
from rich.progress import track
from services import settings_of, tries, wait_for, workers_of
from sqlalchemy import create_engine, text
from state_files import read_state, write_state

from ehc.cli.serve import start_service

VICTIMS = ("worker", "redis", "postgres")
CLIENTS = 4
SAMPLE = 60  # of what a round acknowledged, asked again after it
JSON = {"Content-Type": "application/json"}


class Client:
    """One connection at a time. An answer that did not come, and 503, are None; any other but success is an error."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._connection = self._new()

    def _new(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), JSON)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = self._new()
            time.sleep(0.02)
            return None
        if answer.status == 503:
            time.sleep(0.02)
            return None
        assert answer.status in (200, 201), f"{method} {path.split('/')[2]}: {answer.status} {content.decode()}"
        return json.loads(content)


def passport(i: int) -> dict[str, str]:
    return {"id_type": "03", "id_number": f"E{i:08}", "name": "TEST PERSON"}


def payment(code: str, terminal: str) -> dict[str, str]:
    return {"payload": code, "scene": "010105", "institution": "H-1", "terminal": terminal}


@dataclass
class Seen:
    """What all clients were told."""

    acknowledged: dict[int, str] = field(default_factory=dict)  # person -> card id, since the last check
    unanswered: list[int] = field(default_factory=list)  # people, since the last check
    accepted: Counter[str] = field(default_factory=Counter)  # code -> how often, for ever
    unshown: list[str] = field(default_factory=list)  # codes that nobody shows before the check
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=32))  # codes that any client may show
    times: list[tuple[float, float]] = field(
        default_factory=list
    )  # sent, answered: of acceptances since the last check
    lives: int = 0
    errors: list[BaseException] = field(default_factory=list)


class Load(threading.Thread):
    """Registers a person, issues a code for the card and shows it at two terminals, on and on."""

    def __init__(self, url: str, number: int, seen: Seen, seed: int) -> None:
        super().__init__(daemon=True)
        self._client, self._number, self._seen = Client(url), number, seen
        self._chance = random.Random(seed * 100 + number)
        self._next = number * 10_000_000
        self.going, self.idle, self.ended = threading.Event(), threading.Event(), False

    def run(self) -> None:
        try:
            while not self.ended:
                if not self.going.is_set():
                    self.idle.set()
                    self.going.wait(0.05)
                    continue
                self.idle.clear()
                self._live()
        except BaseException as error:
            self._seen.errors.append(error)
            self.idle.set()
        finally:
            self._client.close()

    def _live(self) -> None:
        seen, i = self._seen, self._next
        self._next += 1
        registered = self._client.ask("POST", "/v1/cards", passport(i))
        if registered is None:
            seen.unanswered.append(i)
            return
        seen.acknowledged[i] = registered["card_id"]
        issued = self._client.ask("POST", "/v1/codes", {"card_id": registered["card_id"], "kind": "dynamic"})
        if issued is None:
            return
        if self._next % 4 == 0:
            seen.unshown.append(issued["payload"])
            return
        seen.recent.append(issued["payload"])
        for code in (issued["payload"], self._chance.choice(list(seen.recent))):
            for terminal in ("t", "u"):
                self._show(code, f"{terminal}-{self._number}")
        seen.lives += 1

    def _show(self, code: str, terminal: str) -> None:
        """The same terminal shows a code once: it would be told `accepted` again, which is its right."""
        sent = time.monotonic()
        found = self._client.ask("POST", "/v1/verify", payment(code, f"{terminal}-{self._chance.getrandbits(40):x}"))
        if found is not None and found["accepted"]:
            self._seen.accepted[code] += 1
            self._seen.times.append((sent, time.monotonic()))


@dataclass
class Campaign:
    url: str
    service: Any  # its process
    chance: random.Random
    database: str = ""
    postgres: servers.Postgres | None = None
    redis: servers.Redis | None = None
    seen: Seen = field(default_factory=Seen)
    kills: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds from a kill to readiness
    noting: Callable[["Campaign"], None] = lambda _: None  # after every round

    @property
    def victims(self) -> tuple[str, ...]:
        return VICTIMS if self.database else VICTIMS[:1]

    def run(self, kills: int, seed: int) -> None:
        loads = [Load(self.url, number, self.seen, seed) for number in range(1, CLIENTS + 1)]
        for load in loads:
            load.start()
        for number in track(range(kills), f"{kills} kills, seed {seed}", console=Console(stderr=True)):
            victims = self.victims
            self._round(loads, victims[number] if number < len(victims) else self.chance.choice(victims))
            if self.database and (number % 25 == 24 or number == kills - 1):
                self._check_keys()
        for load in loads:
            load.ended = True
            load.join()

    def _round(self, loads: list[Load], victim: str) -> None:
        for load in loads:
            load.going.set()
        time.sleep(self.chance.uniform(0.05, 0.5))
        away = self._kill(victim)
        self._wait_until_ready()
        for load in loads:
            load.going.clear()
        for load in loads:
            wait_for(load.idle.is_set)
        assert not self.seen.errors, self.seen.errors
        with contextlib.closing(Client(self.url)) as client:
            self._check(client, away)
        self.kills[victim] += 1
        self.noting(self)

    def _kill(self, victim: str) -> tuple[float, float] | None:
        """When Redis was away for certain."""
        if victim == "worker":
            os.kill(self.chance.choice(sorted(workers_of(self.service))), signal.SIGKILL)
            return None
        server = self.redis if victim == "redis" else self.postgres
        assert server is not None
        server.kill()
        gone = time.monotonic()
        time.sleep(self.chance.uniform(0, 0.3))
        back = time.monotonic()
        server.start()
        return (gone, back) if victim == "redis" else None

    def _wait_until_ready(self) -> None:
        begun = time.monotonic()
        wait_for(lambda: len(workers_of(self.service)) == 2)
        with contextlib.closing(Client(self.url)) as client:
            wait_for(lambda: client.ask("GET", "/ready") == {"status": "ready"})
            wait_for(lambda: client.ask("POST", "/v1/verify", payment(f"{'AB' * 32}:1", "t")) is not None)
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def _check(self, client: Client, away: tuple[float, float] | None) -> None:
        seen = self.seen
        twice = [code for code, times in seen.accepted.items() if times > 1]
        assert not twice, f"{len(twice)} codes were accepted more than once"
        meanwhile = [one for one in seen.times if away and away[0] < one[0] and one[1] < away[1]]
        assert not meanwhile, f"{len(meanwhile)} codes were accepted while Redis was away"
        for i, card_id in list(seen.acknowledged.items())[-SAMPLE:]:
            assert _surely(client, "GET", f"/v1/cards/{card_id}")["state"] == "normal"
            again = _surely(client, "POST", "/v1/cards", passport(i))
            assert (again["card_id"], again["created"]) == (card_id, False)
        for i in seen.unanswered[-SAMPLE:]:
            card_id = _surely(client, "POST", "/v1/cards", passport(i))["card_id"]
            assert _surely(client, "GET", f"/v1/cards/{card_id}")["state"] == "normal"
        for code in list(seen.accepted)[-SAMPLE:]:
            assert not _surely(client, "POST", "/v1/verify", payment(code, "again"))["accepted"], "accepted again"
        for code in seen.unshown[-SAMPLE:]:
            assert _surely(client, "POST", "/v1/verify", payment(code, "late"))["accepted"], "an issued code is gone"
            seen.accepted[code] += 1
        seen.acknowledged.clear()
        seen.unshown.clear()
        seen.unanswered.clear()
        seen.times.clear()

    def _check_keys(self) -> None:
        """As many accounts as documents that find one, as master indexes, as card ids, and as first events."""
        engine = create_engine(self.database)
        with engine.connect() as connection:
            counts = {
                what: connection.scalar(text(f"SELECT count(DISTINCT account) FROM {what}"))
                for what in ("accounts", "document_keys", "mindex_keys", "card_keys")
            }
            first = connection.scalar(text("SELECT count(*) FROM account_events WHERE kind = 'registered'"))
        engine.dispose()
        assert set(counts.values()) == {first}, (counts, first)


def _surely(client: Client, method: str, path: str, body: Any = None) -> Any:
    """The answer, asked again where there is none: whatever was killed is back, or comes back."""
    for _ in tries(60):
        if (answer := client.ask(method, path, body)) is not None:
            return answer
    raise AssertionError(f"no answer to {method} {path.split('/')[2]} for a minute")


@contextlib.contextmanager
def campaign(folder: Path, seed: int, *, embedded: bool = False) -> Iterator[Campaign]:
    with contextlib.ExitStack() as stack:
        parts: dict[str, Any] = {}
        if not embedded:
            postgres = stack.enter_context(servers.postgres(folder))
            redis = stack.enter_context(servers.redis(folder / "redis"))
            parts = {"database": postgres.create("campaign"), "postgres": postgres, "redis": redis}
        places = {"database": parts["database"], "redis": parts["redis"].url} if parts else {}
        process, url = start_service(settings_of(folder / "home", workers=2, caller_rate=1_000_000, **places))
        try:
            yield Campaign(url, process, random.Random(seed), **parts)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@dataclass
class Dealt:
    """By all runs together."""

    kills: Counter[str] = field(default_factory=Counter)
    seeds: list[int] = field(default_factory=list)
    lives: int = 0
    codes: int = 0
    slowest: float = 0.0

    def __add__(self, other: "Dealt") -> "Dealt":
        return Dealt(
            Counter(self.kills) + Counter(other.kills),
            self.seeds + [seed for seed in other.seeds if seed not in self.seeds],
            self.lives + other.lives,
            self.codes + other.codes,
            max(self.slowest, other.slowest),
        )

    def __str__(self) -> str:
        of = ", ".join(f"{count} of {victim}" for victim, count in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({of}), seeds {self.seeds}: {self.lives:,} people registered and served, "
            f"{self.codes:,} codes accepted, none twice, nothing acknowledged lost; ready again after "
            f"{self.slowest:.1f} s at most"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--embedded", action="store_true", help="SQLite and mapped files")
    parser.add_argument("--state", type=Path, help="a file: what was dealt, to go on from")
    options = parser.parse_args()
    before = Dealt() + Dealt(**read_state(options.state))
    left, dealt = options.kills - before.kills.total(), before

    def note(found: Campaign) -> None:
        nonlocal dealt
        seen = found.seen
        dealt = before + Dealt(found.kills, [options.seed], seen.lives, len(seen.accepted), found.slowest)
        write_state(options.state, vars(dealt))

    begun, folder = time.monotonic(), tempfile.TemporaryDirectory()
    with folder as name, campaign(Path(name), options.seed, embedded=options.embedded) as found:
        found.noting = note
        try:
            found.run(left, options.seed)
        except KeyboardInterrupt:
            print("ended early", file=sys.stderr)
        except AssertionError:
            log = (Path(name) / "home/service.log").read_text("utf-8")
            print(f"after {dict(found.kills)}: {log[-4000:]}", file=sys.stderr)
            raise
    print(f"{found.kills.total()} now, in {time.monotonic() - begun:.0f} s; in all {dealt}")


if __name__ == "__main__":
    main()
