"""The master index over a store, for tests of both."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from ehc.cards.accounts import Act
from ehc.errors import Conflict
from ehc.index.domain import visit_card
from ehc.index.finding import Finder
from ehc.index.history import State, replay
from ehc.index.index_store import IndexStore
from ehc.index.lines import columns_of
from ehc.index.loading import Loader
from ehc.index.master import MasterIndex, Placed
from ehc.index.record import Record, new_record
from ehc.index.review import Review, ReviewAnswer
from ehc.index.reviewing import Reviewing
from ehc.index.rulebook import Rulebook
from ehc.wiring.stores import Stores

SAMPLE = "11010020171225006X"  # the specification's sample person
NAME = "电子健康卡"


def act(now: int = 10, by: str = "desk", reason: str = "a test") -> Act:
    return Act(now, by, reason)


@dataclass
class Room:
    store: IndexStore
    book: Rulebook
    master: MasterIndex
    finder: Finder
    reviewing: Reviewing
    loader: Loader

    def record(self, hospital: str, local_id: str, id_number: str = "", passport: str = "", **fields: str) -> Record:
        numbers = [("resident-id", id_number), ("passport", passport)]
        return new_record(self.book.now().domains, f"visit-card/{hospital}", local_id, {"name": NAME} | fields, numbers)

    def put(self, hospital: str, local_id: str, now: int = 10, **said: str) -> Placed:
        return self.master.put(self.record(hospital, local_id, **said), act(now))

    def load(self, records: list[Record], now: int) -> Counter[str]:
        return self.loader.load(columns_of(records), act(now))

    def decide(self, number: int, answer: ReviewAnswer, by: str, now: int) -> Review:
        self.reviewing.claim(number, by, now)
        return self.reviewing.decide(number, answer, act(now, by))

    def state(self) -> State:
        return replay(self.store.events(0, 100_000))


def make_room(stores: Stores, domains: bool = True) -> Room:
    store = stores.index
    book = Rulebook(store)
    room = Room(store, book, MasterIndex(store, book), Finder(store, book), Reviewing(store, book), Loader(store, book))
    for hospital in ("H1", "H2", "H3") if domains else ():
        with suppress(Conflict):
            room.master.add_domain(visit_card(hospital, hospital, 1))
    return room
