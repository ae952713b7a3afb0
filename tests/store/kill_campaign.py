"""kill -9 while people are registered and changed, again and again over one database; no acknowledged one may be lost.

    PYTHONPATH=tests python tests/store/kill_campaign.py sqlite --rounds 1000
    PYTHONPATH=tests python tests/store/kill_campaign.py postgres --rounds 1000
    PYTHONPATH=tests python tests/store/kill_campaign.py postgres --victim server --rounds 200

A writer registers batches of many sizes and cancels accounts, and notes in a file what the store has acknowledged.
After each kill: every acknowledged person is found by document, card id and mindex and has a history; the batch that
was cut off is there whole or not at all; no account is without its keys.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import servers
from invented_cards import columns, new_card
from sqlalchemy import text

from ehc.cards.account import Change, EventKind, Outcome
from ehc.errors import Unavailable
from ehc.model import AccountState
from ehc.store import key_merge
from ehc.store.database import migrate, open_engine
from ehc.store.sql_accounts import SqlAccountStore

NOW = 1_700_000_000
SIZES = (700, 3, 1_500, 1, 520, 90)  # a batch's rows, in turn
APART = 10_000  # a batch's first person
ANY = frozenset(AccountState)
MERGE_AT = 2_000  # keys: so that kills also meet a merge


def people(batch: int) -> range:
    return range(batch * APART, batch * APART + SIZES[batch % len(SIZES)])


def write(url: str, acknowledged: str, first: int) -> None:
    """Register from this batch on, until killed or cut off."""
    key_merge.LEAST = key_merge.MOST = MERGE_AT
    engine = open_engine(url)
    store, notes = SqlAccountStore(engine), os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for batch in range(first, first + 100_000):
        try:
            if len(people(batch)) == 1:
                account = store.register(new_card(people(batch)[0]), NOW).account
            else:
                account = int(store.register_columns(columns(people(batch)), NOW).account[0])
            os.write(notes, b"%d registered\n" % batch)
            store.apply(account, Change(EventKind.CANCELLED, ANY, state=AccountState.CANCELLED), NOW)
            os.write(notes, b"%d cancelled\n" % batch)
        except Unavailable:  # the server was killed
            return


@dataclass
class Campaign:
    """stop: kills something while the writer writes, and brings it back."""

    url: str
    folder: Path
    stop: Callable[[multiprocessing.Process], None]
    next_batch: int = 0
    whole: int = 0  # cut-off batches that were there
    absent: int = 0
    context: multiprocessing.context.ForkServerContext = field(
        default_factory=lambda: multiprocessing.get_context("forkserver")
    )

    def run(self, rounds: int, check_every: int = 10) -> None:
        self.context.set_forkserver_preload(["invented_cards", "ehc.store.sql_accounts"])
        engine = open_engine(self.url)
        migrate(engine)
        engine.dispose()
        for number in range(rounds):
            self._round(number)
            if number % check_every == 0 or number == rounds - 1:
                self._check_keys()

    def _round(self, number: int) -> None:
        notes = self.folder / f"acknowledged-{number}"
        notes.touch()
        writer = self.context.Process(target=write, args=(self.url, str(notes), self.next_batch))
        writer.start()
        servers.wait_until(lambda: bool(notes.stat().st_size), "the writer's first acknowledgement")
        self.stop(writer)
        writer.join()
        self._check_acknowledged(notes.read_text().split("\n")[:-1])

    def _check_acknowledged(self, notes: list[str]) -> None:
        engine = open_engine(self.url)
        store = SqlAccountStore(engine)
        cancelled = {int(note.split()[0]) for note in notes if note.endswith("cancelled")}
        registered = [int(note.split()[0]) for note in notes if note.endswith("registered")]
        for batch in registered:
            self._check_batch(store, batch, batch in cancelled)
        cut_off = registered[-1] + 1
        there = [store.card(new_card(i).derived.card_id) is not None for i in people(cut_off)]
        assert len(set(there)) == 1, f"batch {cut_off} is half there"
        self.whole, self.absent = self.whole + there[0], self.absent + (not there[0])
        self.next_batch = cut_off + 1
        engine.dispose()

    def _check_batch(self, store: SqlAccountStore, batch: int, cancelled: bool) -> None:
        for i in {people(batch)[0], people(batch)[-1]}:
            derived = new_card(i).derived
            card = store.card(derived.card_id)
            assert card is not None, f"person {i} was acknowledged and is gone"
            assert card == store.card_of_mindex(derived.mindex)
            assert card == store.card_of_document(derived.identity.id_type, derived.identity.id_number)
            states = [event.state_after for event in store.history(card.account)]
            assert states[-1] is card.state
            assert states[0] is AccountState.NORMAL
            if cancelled and i == people(batch)[0]:
                assert card.state is AccountState.CANCELLED
        if len(people(batch)) > 1:
            again = store.register_columns(columns(people(batch)[1:]), NOW)
            assert {one.outcome for one in again.others.values()} == {Outcome.EXISTING}
            assert len(again.others) == len(people(batch)) - 1

    def _check_keys(self) -> None:
        """As many accounts as documents that find one, and as first events."""
        engine = open_engine(self.url)
        with engine.connect() as connection:
            accounts = connection.scalar(text("SELECT count(*) FROM accounts"))
            found = set(connection.scalars(text("SELECT account FROM document_keys")))
            if engine.dialect.name == "sqlite":
                runs = connection.execute(text("SELECT first_account, length(documents) / 12 FROM recent_keys"))
                for first, count in runs:
                    found |= set(range(first, first + count))
            batches = connection.scalar(text("SELECT sum(last_account - first_account + 1) FROM registrations"))
            singles = connection.scalar(text("SELECT count(*) FROM account_events WHERE kind = 'registered'"))
        engine.dispose()
        assert accounts == len(found) == (batches or 0) + singles


def kill_writer(chance: random.Random) -> Callable[[multiprocessing.Process], None]:
    def stop(writer: multiprocessing.Process) -> None:
        time.sleep(chance.uniform(0, 0.4))
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)

    return stop


def kill_server(chance: random.Random, server: servers.Postgres) -> Callable[[multiprocessing.Process], None]:
    def stop(writer: multiprocessing.Process) -> None:
        time.sleep(chance.uniform(0, 0.4))
        server.kill()
        writer.join()
        assert writer.exitcode == 0, "the writer saw something else than Unavailable"
        server.start()

    return stop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgres"])
    parser.add_argument("--victim", choices=["writer", "server"], default="writer")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.database == "sqlite":
            campaign = Campaign(f"sqlite:///{folder / 'a.db'}", folder, kill_writer(chance))
            campaign.run(options.rounds)
        else:
            with servers.postgres(folder) as server:
                stop = kill_server(chance, server) if options.victim == "server" else kill_writer(chance)
                campaign = Campaign(server.create("campaign"), folder, stop)
                campaign.run(options.rounds)
    print(
        f"{options.rounds} kills of the {options.victim}: {campaign.next_batch:,} batches, nothing acknowledged lost; "
        f"of the batches cut off {campaign.whole} were there whole, {campaign.absent} not at all"
    )


if __name__ == "__main__":
    main()
