"""kill -9 of an import of physical cards, and of a synchronisation, at random points, again and again.

    PYTHONPATH=tests python tests/survival/registry_kills.py import sqlite --kills 100 --seed 1
    PYTHONPATH=tests python tests/survival/registry_kills.py import postgres --kills 100 --seed 1
    PYTHONPATH=tests python tests/survival/registry_kills.py sync sqlite --kills 100 --seed 1
    PYTHONPATH=tests python tests/survival/registry_kills.py sync postgres --kills 100 --seed 1

The victim is the command itself in a process of its own, killed after a random time; the next one is the same command.
When it came through, what is kept must be what an undisturbed run keeps: every card with its version, its holder's
electronic card and where that comes from, one event a version, the rejects file byte for byte. Then the next export (or
the next changes on both sides) follows, until so many kills were dealt.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers
from physical import lines, record
from services import settings_of
from sqlalchemy import text

from ehc.cli.main import main as command
from ehc.cli.serve import running_service
from ehc.config import Settings
from ehc.registry.card import CardEventKind, CardState, Taking
from ehc.registry.reconciling import reconcile
from ehc.registry.registry import Registry, columns
from ehc.store.database import migrate, open_engine
from ehc.wiring.keys import open_machine
from ehc.wiring.registries import open_peer
from ehc.wiring.stores import open_registry

ROWS = 3_000
STATES = ("normal", "normal", "lost", "cancelled", "being_made", "not_issued")
CARDS = text(
    "SELECT c.number, c.chip, c.id_type, c.id_number, c.name, c.state, c.version, c.source, a.id_number, a.origin,"
    " (SELECT count(*) FROM physical_card_events e WHERE e.number = c.number),"
    " (SELECT count(*) FROM physical_card_batches b WHERE c.born BETWEEN b.first AND b.last)"
    " FROM physical_cards c LEFT JOIN accounts a ON a.account = c.account ORDER BY c.number"
)
HELD = (CardState.NORMAL, CardState.LOST)
ACCOUNTS = text("SELECT id_type, id_number, name, card_id, origin, state FROM accounts ORDER BY id_type, id_number")


def state_of(settings: Settings) -> tuple[Any, ...]:
    """All that two runs over the same input must have in common."""
    engine = open_engine(settings.database_url())
    try:
        with engine.connect() as connection:
            cards, accounts = (list(map(tuple, connection.execute(query))) for query in (CARDS, ACCOUNTS))
            changes = connection.scalar(text("SELECT count(DISTINCT change) FROM physical_cards"))
        return cards, accounts, changes
    finally:
        engine.dispose()


def export(chance: random.Random, version: int) -> str:
    """Some cards that were there in another version, some that are new, some rows that are refused."""
    rows = [
        record(i, state=chance.choice(STATES), version=version, source="440100")
        for i in sorted(chance.sample(range(ROWS * 2), ROWS))
    ]
    for i in range(0, ROWS, 97):
        rows[i] = rows[i]._replace(**chance.choice([{"id_number": "1"}, {"state": "gone"}, {"number": ""}]))
    return lines(rows)


@dataclass
class Tally:
    kills: int = 0
    rounds: int = 0


def attempt(run: Callable[[], None], life: float | None) -> bool:
    """In a process of its own, killed after so many seconds; whether it came through."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if life is not None:
                end = threading.Timer(life, lambda: os.kill(os.getpid(), signal.SIGKILL))
                end.daemon = True
                end.start()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            os.dup2(2, 1)
            run()
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), f"the command ended with {status}"
    return status == 0


def ehc(settings: Settings, *arguments: object) -> Callable[[], None]:
    def run() -> None:
        os.environ |= {"EHC_HOME": settings.home, "EHC_REGISTRY": settings.registry}
        os.environ |= {"EHC_DATABASE": settings.database_url()}
        sys.argv = ["ehc", "registry", *map(str, arguments)]
        command()

    return run


class Campaign:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance, self.tally = folder, random.Random(seed), Tally()
        self.home = settings_of(folder / "home").home_path()
        self.whole_seconds = self.last_seconds = 0.0

    def made(self, name: str, registry: str, database: str = "") -> Settings:
        (self.folder / name).mkdir()
        shutil.copytree(self.home / "keyring", self.folder / name / "keyring")
        settings = Settings(home=str(self.folder / name), registry=registry, database=database)
        engine = open_engine(settings.database_url())
        migrate(engine)
        engine.dispose()
        return settings

    def until_through(self, run: Callable[[], None], most: int) -> None:
        """Killed at random points of its whole length until it comes through; at most so many kills in all."""
        while True:
            life = self.chance.uniform(0.02, 1.1) * self.whole_seconds if self.tally.kills < most else None
            begin = time.monotonic()
            if attempt(run, life):
                self.last_seconds = time.monotonic() - begin
                return
            self.tally.kills += 1
            if self.tally.kills % 25 == 0:
                print(f"{self.tally.kills:,} kills, {self.tally.rounds:,} runs", file=sys.stderr)

    def timed(self, run: Callable[[], None]) -> None:
        begin = time.monotonic()
        assert attempt(run, None)
        self.whole_seconds = time.monotonic() - begin


class Imports(Campaign):
    def run(self, kills: int, database: Callable[[], str]) -> None:
        killed, whole = (self.made(name, "440000", database()) for name in ("killed", "whole"))
        while self.tally.kills < kills:
            self.tally.rounds += 1
            files = {}
            for name in ("killed", "whole"):
                files[name] = self.folder / f"{name}.csv"
            content = export(self.chance, self.tally.rounds)
            for file in files.values():
                file.write_text(content, "utf-8")
            options = ("--block", "32", "--checkpoint", self.chance.choice([0, 0.01]), "--force")
            self.timed(ehc(whole, "import", files["whole"], *options))
            self.until_through(ehc(killed, "import", files["killed"], *options), kills)
            assert state_of(killed) == state_of(whole), f"round {self.tally.rounds}"
            said = [file.with_name(f"{file.name}.rejects.csv").read_bytes() for file in files.values()]
            assert said[0] == said[1]
            assert len(said[0].splitlines()) > 1
            left = {path.suffix for path in self.folder.iterdir() if path.name.startswith("killed.csv")}
            assert left == {".csv"}


class Synchronisations(Campaign):
    def run(self, kills: int, database: Callable[[], str]) -> None:
        ours, theirs = self.made("ours", "440000", database()), self.made("theirs", "330000", database())
        with running_service(theirs) as url:
            for settings in (ours, theirs):
                self._change(settings, 1)
            self.timed(ehc(ours, "sync", url))
            for settings in (ours, theirs):
                self._change(settings, 2)
            while self.tally.kills < kills:
                self.tally.rounds += 1
                self.until_through(ehc(ours, "sync", url), kills)
                self.whole_seconds = self.last_seconds
                self._check(ours, theirs, url)
                for settings in (ours, theirs):
                    self._change(settings, self.tally.rounds + 2)

    def _change(self, settings: Settings, version: int) -> None:
        rows = [
            record(i, state=self.chance.choice(STATES), version=version, source=settings.registry)
            for i in self.chance.sample(range(ROWS * 2), ROWS)
        ]
        with _registry(settings) as registry:
            registry.intake.take(*columns(rows), Taking(0, CardEventKind.IMPORTED, "campaign"))

    def _check(self, ours: Settings, theirs: Settings, url: str) -> None:
        """Both the same, by their rows and by the reconciliation; every held card with its electronic one."""
        cards, others = state_of(ours), state_of(theirs)
        assert [row[:8] for row in cards[0]] == [row[:8] for row in others[0]]
        for row in cards[0] + others[0]:
            assert row[11] == 1, "a card has its first event once"
            assert row[5] not in HELD or row[8:10] == (row[3], 1), "who holds a card has an electronic one"
        with _registry(ours) as registry:
            peer = open_peer(url, None)
            assert not any(one.differences for one in reconcile(registry.store, peer))
            peer.close()


@contextmanager
def _registry(settings: Settings) -> Iterator[Registry]:
    with open_registry(settings, open_machine(settings)) as registry:
        yield registry


def database_of(kind: str) -> Callable[[], str]:
    return servers.migrated_postgres if kind == "postgres" else lambda: ""


def run(what: str, kind: str, kills: int, seed: int) -> str:
    with tempfile.TemporaryDirectory(prefix="ehc-registry-") as name:
        if what == "import":
            imports = Imports(Path(name), seed)
            imports.run(kills, database_of(kind))
            tally = imports.tally
        else:
            syncs = Synchronisations(Path(name), seed)
            syncs.run(kills, database_of(kind))
            tally = syncs.tally
    title = f"import, {kind}" if what == "import" else f"sync, {kind} over HTTP"
    return f"{title}: {tally.kills:,} kills in {tally.rounds:,} runs; each ended as if undisturbed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["import", "sync"])
    parser.add_argument("database", choices=["sqlite", "postgres"], nargs="?", default="sqlite")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(run(options.what, options.database, options.kills, options.seed))


if __name__ == "__main__":
    main()
