"""Registering in bulk over HTTP, and finding a card, at a number of accounts that are there already.

    python bench/register.py                                                 # SQLite in a temporary folder
    python bench/register.py --database postgresql://postgres@host/empty     # a database of one's own, empty
    python bench/register.py --existing 10000000                             # filled below HTTP first
    python bench/register.py --following 3 --batches 20                      # what the master index costs

One `ehc serve`; `--clients` connections each send batches of 10,000 new people (POST /v1/cards/batch) and wait for the
answer, in which every row must be `created`. Persons/s is what was acknowledged in the whole run, and the median of its
batches; beside it the CPU time a person that the service took, which other work on the machine does not change. Then
single cards are asked for by card id, one after another. Last the usual code, gmssl and sqlite3, on a sample.

--following: so many laps of a service of its own without the master index (setting index_cards) and one with it, in
SQLite; the share is taken within each lap.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from peers import gmssl_python
from service_servers import free_port, running

from ehc.cards.account import NewCardColumns
from ehc.cards.invented import FAMILY_NAMES, GIVEN_NAMES, resident_id
from ehc.config import Settings
from ehc.crypto import KeyHandle, derive_batch
from ehc.keys.keyring import Keyring, Purpose
from ehc.store.database import migrate, open_engine
from ehc.store.sql_accounts import SqlAccountStore
from ehc.wiring.keys import keyring_folder

BATCH = 10_000
SECURITY_KEY = "0123456789ABCDEFFEDCBA9876543210"
SCATTER, SPACE = 7_919, 1_000_000_007  # a walk over all numbers: neighbours in a batch are strangers in the index
SAMPLE = 1_000  # people of the usual code


def person(i: int) -> tuple[str, str, str]:
    name = FAMILY_NAMES[i % 20] + GIVEN_NAMES[i // 20 % 36] + GIVEN_NAMES[i // 720 % 36]
    return "01", resident_id(i * SCATTER % SPACE), name


def batch(number: int) -> list[tuple[str, str, str]]:
    return [person(i) for i in range(number * BATCH, (number + 1) * BATCH)]


def body(number: int) -> bytes:
    fields = ("id_type", "id_number", "name")
    people = [dict(zip(fields, one, strict=True)) for one in batch(number)]
    return json.dumps({"people": people}, ensure_ascii=False, separators=(",", ":")).encode()


def main() -> None:
    options = _options()
    if options.following:
        print(json.dumps(_following(options), indent=1))
        return
    with tempfile.TemporaryDirectory() as name:
        home = options.home or Path(name)
        settings = Settings(home=str(home), database=options.database or "")
        _make_keyring(settings)
        _fill(settings, options.existing)
        with _service(settings, home) as (url, pid):
            done = _register(url, pid, options)
            found = _find(url, options)
    usual = _usual()
    print(json.dumps({"existing": options.existing, "clients": options.clients} | done | found | usual, indent=1))
    print(f"{done['persons/s'] / usual['usual persons/s']:,.0f} times the usual code")


def _following(options: argparse.Namespace) -> dict[str, Any]:
    laps = [[_lap(options, index_cards) for index_cards in ("false", "true")] for _ in range(options.following)]
    shares = [with_index["persons/s"] / without["persons/s"] for without, with_index in laps]
    return {"laps": laps, "shares": shares, "share": round(statistics.median(shares), 3)}


def _lap(options: argparse.Namespace, index_cards: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(home=name)
        _make_keyring(settings)
        _fill(settings, 0)
        with _service(settings, Path(name), index_cards) as (url, port):
            return _register(url, port, options) | _find(url, options) | {"index_cards": index_cards}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="an empty one; else SQLite in a temporary folder")
    parser.add_argument("--home", type=Path, help="a folder that is kept; a database in it is gone on with")
    parser.add_argument("--existing", type=int, default=0, help="accounts that are there before")
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--following", type=int, default=0, metavar="LAPS", help="with and without the master index")
    return parser.parse_args()


def _make_keyring(settings: Settings) -> None:
    if settings.keyring_path().exists():
        return
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex(SECURITY_KEY), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex(SECURITY_KEY[::-1]), 0)
        keyring_folder(settings).create(keyring)


def _fill(settings: Settings, existing: int) -> None:
    """The first so many people, below HTTP."""
    engine = open_engine(settings.database_url())
    migrate(engine)
    store, key = SqlAccountStore(engine), KeyHandle(bytes.fromhex(SECURITY_KEY), "security_key", 1)
    for number in range(_there(store, existing // BATCH), existing // BATCH):
        rows = batch(number)
        cards = derive_batch(rows, key)
        columns = ([row[field] for row in rows] for field in range(3))
        store.register_columns(NewCardColumns(*columns, cards.mindex, cards.card_id, cards.card_id_lengths, 1), 0)
    engine.dispose()


def _there(store: SqlAccountStore, most: int) -> int:
    """How many batches a kept database has already."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        known = store.card_of_document(*person(middle * BATCH)[:2]) is not None
        low, high = (middle + 1, high) if known else (low, middle)
    return low


@contextmanager
def _service(settings: Settings, home: Path, index_cards: str = "true") -> Iterator[tuple[str, int]]:
    port = free_port()
    command = [sys.executable, "-m", "ehc.cli", "serve", "--port", str(port), "--database", settings.database_url()]
    environment = {"EHC_HOME": settings.home, "EHC_INDEX_CARDS": index_cards}
    with running(command, f"http://127.0.0.1:{port}", home / "service.log", environment) as url:
        yield url, port


def _register(url: str, port: int, options: argparse.Namespace) -> dict[str, Any]:
    first = options.existing // BATCH
    bodies = [body(number) for number in range(first, first + options.batches)]
    before, begin = _cpu_seconds(port), time.perf_counter()
    with ThreadPoolExecutor(options.clients) as pool:
        seconds = list(pool.map(lambda one: _send(url, one), bodies))
    total = time.perf_counter() - begin
    people = len(bodies) * BATCH
    return {
        "persons/s": round(people / total),
        "median batch ms": round(statistics.median(seconds) * 1000, 1),
        "slowest batch ms": round(max(seconds) * 1000, 1),
        "service CPU us a person": round((_cpu_seconds(port) - before) / people * 1e6, 2),
    }


def _send(url: str, content: bytes) -> float:
    host = url.removeprefix("http://")
    begin = time.perf_counter()
    with closing(http.client.HTTPConnection(host, timeout=120)) as connection:
        connection.request("POST", "/v1/cards/batch", content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    seconds = time.perf_counter() - begin
    assert answer.status == 200, text[:300]
    assert text.count(b'"outcome":"created"') == BATCH, text[:300]
    return seconds


def _cpu_seconds(port: int) -> float:
    """Of all processes that are the service on this port."""
    return sum(
        int(ticks) / 100
        for process in Path("/proc").glob("[0-9]*")
        if _is_service(process, port)
        for ticks in (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    )


def _is_service(process: Path, port: int) -> bool:
    try:
        command = (process / "cmdline").read_bytes().split(b"\0")
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        above = Path("/proc", parent, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(port).encode() in command or str(port).encode() in above


def _find(url: str, options: argparse.Namespace) -> dict[str, Any]:
    chance = random.Random(1)
    there = options.existing + options.batches * BATCH
    rows = [person(chance.randrange(there)) for _ in range(options.queries)]
    cards = derive_batch(rows, bytes.fromhex(SECURITY_KEY)).hex().card_id
    times = []
    with closing(http.client.HTTPConnection(url.removeprefix("http://"))) as connection:
        for card_id in cards:
            begin = time.perf_counter()
            connection.request("GET", f"/v1/cards/{card_id}")
            answer = connection.getresponse()
            text = answer.read()
            times.append((time.perf_counter() - begin) * 1000)
            assert answer.status == 200, text
            assert json.loads(text)["card_id"] == card_id
    p50, p99 = np.percentile(times, [50, 99])
    return {"find p50 ms": round(float(p50), 3), "find p99 ms": round(float(p99), 3)}


def _usual() -> dict[str, Any]:
    """gmssl and sqlite3 as most write it: a look-up, two inserts and a commit a person."""
    rows, key = batch(0)[:SAMPLE], bytes.fromhex(SECURITY_KEY)
    with tempfile.TemporaryDirectory() as name, closing(sqlite3.connect(Path(name) / "usual.db")) as connection:
        connection.execute(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, number TEXT UNIQUE, name TEXT, card TEXT UNIQUE)"
        )
        connection.execute("CREATE TABLE events (account INTEGER, what TEXT)")
        begin = time.perf_counter()
        for row in rows:
            [card] = gmssl_python.derive([row], key)
            assert connection.execute("SELECT id FROM accounts WHERE number = ?", (row[1],)).fetchone() is None
            added = connection.execute("INSERT INTO accounts VALUES (NULL, ?, ?, ?)", (row[1], row[2], card))
            connection.execute("INSERT INTO events VALUES (?, 'registered')", (added.lastrowid,))
            connection.commit()
        return {"usual persons/s": round(len(rows) / (time.perf_counter() - begin))}


if __name__ == "__main__":
    main()
