"""kill -9 of whoever re-keys, registers, renames and cancels, again and again, at any moment of any phase.

    PYTHONPATH=tests python tests/survival/rekeying_kills.py sqlite --kills 2500 --seed 1
    PYTHONPATH=tests python tests/survival/rekeying_kills.py postgres --kills 2500 --seed 1

A small province, so that a whole rekeying takes a tenth of a second; the victim does what comes, says what it is about
to do and what was acknowledged, and is killed. After each kill: what was acknowledged is there, what was not is there
whole or not at all; every id that was given out finds its card, unless its version ended; the next victim goes on. When
a rekeying is over the tables hold exactly what the model says: one account a person, one event a change, no other key.
"""

import argparse
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import servers
from invented_cards import person
from rekeyings import NOW, Model, Province, card_id
from sqlalchemy import Engine, text

from ehc.cards.rekeying import AFTER, OVER, Phase
from ehc.model import AccountState
from ehc.store.account_keys import card_key
from ehc.store.database import migrate, open_engine
from ehc.store.rekeying import SqlRekeyingStore
from ehc.store.sql_accounts import SqlAccountStore

FIRST, MOST_PEOPLE, MOST_ROUNDS = 12, 36, 100
ACTS = 1  # that a victim does at most before its time runs
STEP = 6  # accounts
UNKILLED = 40  # acts
SAMPLE, WHOLE_EVERY = 2, 25
NAMES = ("测试", "测试甲", "测试乙", "测试丙")
OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND state <> 'idle'"
)
SAY = {"flip": Phase.GRACE, "retire": Phase.RETIRE, "roll_back": Phase.ROLL_BACK}


def opened(url: str) -> tuple[Engine, Any]:
    engine = open_engine(url)
    accounts, rekeying = SqlAccountStore(engine), SqlRekeyingStore(engine)
    stores = SimpleNamespace(engine=engine, accounts=accounts, rekeying=rekeying, serials=None)
    return engine, stores


Act = tuple[str, int, str]
"""What, whom (or nobody), which name."""


def choose(model: Model, chance: random.Random) -> Act:
    """Something that may be done now."""
    acts: list[tuple[Act, float]] = [(("register", len(model.people), ""), 1)]
    living = [i for i, one in model.people.items() if one.state is AccountState.NORMAL]
    if living:
        i = chance.choice(living)
        acts += [(("rename", i, chance.choice([n for n in NAMES if n != model.people[i].name])), 1)]
        acts += [(("cancel", i, ""), 0.3)]
    if not model.open:
        acts += [(("begin", 0, ""), 3)]
    else:
        acts += [(("step", 0, ""), 8 if model.phase in AFTER else 1)]
        acts += [((name, 0, ""), 0.2 if name == "roll_back" else 2) for name, to in SAY.items() if model.allows(to)]
    return chance.choices([act for act, _ in acts], [weight for _, weight in acts])[0]


def do(province: Province, model: Model, act: Act) -> str:
    """The phase after it."""
    what, i, name = act
    if what == "register":
        province.register(i)
    elif what in {"rename", "cancel"}:
        card = province.of(i)
        assert card is not None
        province.rename(card, name) if what == "rename" else province.cancel(card)
    elif what == "begin":
        province.begin(model.present)
    elif what == "step":
        province.rekeyer.step(NOW)
    else:
        getattr(province.rekeyer, what)(NOW)
    return province.rekeyer.state().phase.value if model.open or what == "begin" else model.phase.value


def done(model: Model, act: Act, phase: Phase) -> None:
    """The same in the model."""
    what, i, name = act
    if what == "register":
        model.register(i)
    elif what == "rename":
        model.rename(i, name)
    elif what == "cancel":
        model.people[i].state = AccountState.CANCELLED
    elif what == "begin":
        model.begin()
    elif what in SAY:
        model.enter(SAY[what])
    model.phase = phase


def victim(stores: Any, model: Model, chance: random.Random, life: float, notes: int) -> None:
    """A fork; the engine is the parent's, its connections are not."""
    stores.engine.dispose(close=False)
    end = threading.Thread(target=lambda: (time.sleep(life), os.kill(os.getpid(), signal.SIGKILL)), daemon=True)
    acts = chance.randint(0, ACTS)
    for number in itertools.count():
        if number == acts:
            end.start()
        act = choose(model, chance)
        os.write(notes, "\t".join(("?", act[0], str(act[1]), act[2])).encode() + b"\n")
        phase = do(Province(stores, most=STEP, active=model.present), model, act)
        os.write(notes, f"!\t{phase}\n".encode())
        if act[0] == "begin":
            model.forget_ended()
        done(model, act, Phase(phase))


@dataclass
class Campaign:
    kind: str
    folder: Path
    chance: random.Random
    at: Counter[str] = field(default_factory=Counter)  # phases that were met by a kill
    under: Counter[str] = field(default_factory=Counter)  # acts that were cut off
    changes: int = 0  # of those, all but steps
    whole: int = 0  # changes that were there
    over: Counter[str] = field(default_factory=Counter)  # rekeyings that came to an end
    model: Model = field(default_factory=Model)
    rounds: int = 0
    act_seconds: float = 0  # that one takes

    def run(self, kills: int) -> None:
        self._begin()
        for number in range(kills):
            if not self.model.open and (len(self.model.people) > MOST_PEOPLE or self.rounds > MOST_ROUNDS):
                self._begin()
            self._kill()
            self._check(whole=number % WHOLE_EVERY == 0 or number == kills - 1)
            if number % 100 == 99:
                print(f"{number + 1:,} kills", file=sys.stderr)

    def _begin(self) -> None:
        """Another province."""
        self.rounds, self.model = 0, Model()
        self.engine, self.stores = opened(self._database())
        Province(self.stores, active=1).register_many(range(FIRST))
        for i in range(FIRST):
            self.model.register(i)
        began = time.monotonic()
        for _ in range(UNKILLED):  # statements are prepared here, for all forks
            act = choose(self.model, self.chance)
            self._take(act, Phase(do(Province(self.stores, most=STEP, active=self.model.present), self.model, act)))
        self.act_seconds = (time.monotonic() - began) / UNKILLED

    def _database(self) -> str:
        if hasattr(self, "engine"):
            self.engine.dispose()
        if self.kind == "postgres":
            return servers.migrated_postgres()
        template, file = self.folder / "template.db", self.folder / "province.db"
        if not template.exists():
            engine = open_engine(f"sqlite:///{template}")
            migrate(engine)
            engine.dispose()
        for left in self.folder.glob("province.db*"):
            left.unlink()
        shutil.copy(template, file)
        return f"sqlite:///{file}"

    def _kill(self) -> None:
        self.rounds += 1
        heard, notes = os.pipe()
        seed, life = self.chance.getrandbits(32), self.chance.uniform(0, 1.5 * self.act_seconds)
        child = os.fork()
        if child == 0:
            try:
                victim(self.stores, self.model, random.Random(seed), life, notes)
            finally:
                os._exit(1)
        os.close(notes)
        with open(heard, encoding="utf-8") as pipe:
            said = pipe.read().splitlines()
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the victim ended by itself: an act failed"
        self._wait_for_backends()
        self._hear(said)

    def _wait_for_backends(self) -> None:
        """What a killed client sent last, its server may still be doing."""
        if self.kind == "postgres":
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                while connection.scalar(OTHERS):
                    time.sleep(0.002)

    def _hear(self, said: list[str]) -> None:
        act: Act | None = None
        for line in said:
            mark, *words = line.split("\t")
            if mark == "?":
                act = (words[0], int(words[1]), words[2])
                continue
            assert act is not None
            self._take(act, Phase(words[0]))
            act = None
        self.at[self.model.phase.value] += 1
        if act is not None:
            self.under[act[0]] += 1
            self.changes += act[0] != "step"
            if self._happened(act):
                self.whole += act[0] != "step"
                latest = self.stores.rekeying.latest()
                self._take(act, latest.phase if latest else self.model.phase)

    def _take(self, act: Act, phase: Phase) -> None:
        if act[0] == "begin":
            self.model.forget_ended()
        done(self.model, act, phase)
        if act[0] == "step" and phase in OVER:
            self.over[phase.value] += 1

    def _happened(self, act: Act) -> bool:
        what, i, name = act
        if what in {"register", "rename", "cancel"}:
            card = Province(self.stores, active=1).of(i)
            if what == "register":
                return card is not None
            assert card is not None
            return card.identity.name == name if what == "rename" else card.state is AccountState.CANCELLED
        latest = self.stores.rekeying.latest()
        return latest is not None and latest.phase is not self.model.phase

    def _check(self, *, whole: bool) -> None:
        province = Province(self.stores, most=3, active=self.model.present)
        latest = self.stores.rekeying.latest()
        assert latest is None or latest.phase is self.model.phase, (latest, self.model.phase)
        people = list(self.model.people)
        for i in people if whole else self.chance.sample(people, SAMPLE):
            self.model.check(province, i)
        if not self.model.open:
            self._check_tables()

    def _check_tables(self) -> None:
        """Nothing lost, nothing doubled, nothing left."""
        columns = "account, id_number, name, card_id, key_version"
        with self.engine.connect() as connection:
            accounts = connection.execute(text(f"SELECT {columns} FROM accounts")).all()
            keys = {tuple(row) for row in connection.execute(text("SELECT key, account FROM card_keys"))}
            aliases = connection.execute(text("SELECT account, value FROM aliases WHERE kind = 'card'")).all()
            events = Counter(row.kind for row in connection.execute(text("SELECT kind FROM account_events")))
            left = [
                connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in ("rekeyed_cards", "rekeying_due")
            ]
        people = {person(i)[1]: (i, one) for i, one in self.model.people.items()}
        assert sorted(row.id_number for row in accounts) == sorted(people)
        for row in accounts:
            i, one = people[row.id_number]
            assert row.key_version == self.model.present
            assert row.card_id.hex().upper() == card_id(i, self.model.present, one.name)
        own = {(card_key(row.card_id.hex().upper()), row.account) for row in accounts}
        assert keys == own | {(card_key(row.value.decode()), row.account) for row in aliases}
        assert left == [0, 0]
        assert events["registered"] == len(people) - FIRST
        assert events["cancelled"] == sum(one.state is AccountState.CANCELLED for _, one in people.values())

    def report(self) -> str:
        met = ", ".join(f"{phase} {count:,}" for phase, count in sorted(self.at.items()))
        cut = ", ".join(f"{act} {count:,}" for act, count in sorted(self.under.items()))
        ended = ", ".join(f"{phase} {count:,}" for phase, count in sorted(self.over.items()))
        return (
            f"{self.kind}: {sum(self.at.values()):,} kills, nothing acknowledged lost, nothing doubled\n"
            f"  in phase: {met}\n  cut off: {cut}\n"
            f"  of {self.changes:,} cut off that are no steps {self.whole:,} were there whole, the others not at all\n"
            f"  rekeyings that came to an end: {ended}"
        )


@contextmanager
def campaign(kind: str, seed: int) -> Iterator[Campaign]:
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="ehc-rekeying-", dir=memory) as name:
        ran = Campaign(kind, Path(name), random.Random(seed))
        try:
            yield ran
        finally:
            ran.engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgres"])
    parser.add_argument("--kills", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with campaign(options.database, options.seed) as ran:
        try:
            ran.run(options.kills)
        finally:
            print(ran.report())


if __name__ == "__main__":
    main()
