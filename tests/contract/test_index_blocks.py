"""Records that come in blocks, and one after another: the same events and tasks, to the bit, in both databases."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from index_rooms import SAMPLE, act, make_room
from store_factories import FACTORIES, prepare

from ehc.config import Settings
from ehc.errors import Conflict
from ehc.index.domain import visit_card
from ehc.index.generate import HOSPITALS, Population, Rates
from ehc.index.lines import columns_of, record_of
from ehc.index.record import Record
from ehc.wiring.stores import Stores, open_store

UNSOUND = SAMPLE[:-1] + "0"
ERRING = Rates(duplicates=0.6, twins=0.2, number_missing=0.3, number_of_relative=0.05, phone_changed=0.05, moved=0.05)
"""More of everything that rules have to think about."""


def hospitals(stores: Stores):
    room = make_room(stores, domains=False)
    for number in range(HOSPITALS):
        try:
            room.master.add_domain(visit_card(f"G{number:02}", "院", 1))
        except Conflict:
            break
    return room


def said(room, persons: int, seed: int) -> list[Record]:
    """A population; then some of it again, as it was, and changed."""
    lines = list(Population(persons, seed, ERRING).rows())
    again = Random(seed).sample(lines, len(lines) // 5)
    domains = room.book.now().domains
    first = [record_of(domains, line) for line in lines]
    for line, other in zip(again, reversed(again), strict=True):
        line.phone = other.phone
        if line.truth % 7 == 0:
            line.name = other.name
        if line.truth % 11 == 0:
            line.identifiers["passport"] = f"E{other.truth % 97:08}"
        if line.truth % 5 == 0:
            line.identifiers.pop("resident-id", None)
    return [*first, *(record_of(domains, line) for line in again), *first[: len(first) // 20]]


@pytest.mark.parametrize("factory", list(FACTORIES))
def test_blocks_come_to_the_events_of_one_after_another(factory: str, tmp_path: Path) -> None:
    for folder in ("singly", "blocks"):
        (tmp_path / folder).mkdir()
        prepare(factory, tmp_path / folder)
    stores = [FACTORIES[factory](tmp_path / folder) for folder in ("singly", "blocks")]
    singly, blocks = map(hospitals, stores)
    records = said(singly, 150, 5)
    outcomes = Counter(singly.master.put(one, act(20)).outcome for one in records)
    done: Counter[str] = Counter()
    for at in range(0, len(records), 83):
        done += blocks.loader.load(columns_of(records[at : at + 83]), act(20))
    assert done == outcomes
    assert set(outcomes) == {"new", "linked", "updated", "unchanged", "held"}
    events = singly.store.events(0, 10_000)
    assert {one.kind.name for one in events} >= {"RECORDED", "UPDATED", "MERGED"}
    assert blocks.store.events(0, 10_000) == events
    assert blocks.store.page(0, 10_000) == singly.store.page(0, 10_000)
    tasks = singly.reviewing.queue(limit=1000)
    assert len(tasks) > 5
    assert blocks.reviewing.queue(limit=1000) == tasks
    for one in stores:
        one.close()


def test_a_held_row_that_an_update_wakes_is_no_record(tmp_path: Path) -> None:
    """A former number, under a new name, is first found in a row before, which was held: it is nobody."""
    rooms = []
    for folder in ("singly", "blocks"):
        (tmp_path / folder).mkdir()
        room = make_room(open_store(Settings(home=str(tmp_path / folder))))
        room.put("H1", "1", name="张伟", id_number=UNSOUND, birth_date="1980-01-01", phone="13800000001")
        room.put("H2", "2", name="李敏", birth_date="1955-05-05", phone="13900000002")
        rooms.append(room)
    singly, blocks = rooms
    held = singly.record("H2", "2", name="王卫", id_number=UNSOUND, birth_date="1980-01-01", phone="13800000001")
    updated = singly.record("H1", "1", name="王卫", birth_date="1980-01-01", phone="13700000003")
    assert [singly.master.put(one, act(20)).outcome for one in (held, updated)] == ["held", "updated"]
    assert blocks.load([held, updated], 20) == {"held": 1, "updated": 1}
    assert blocks.store.events(0, 100) == singly.store.events(0, 100)
    assert blocks.reviewing.queue(limit=10) == singly.reviewing.queue(limit=10)


def test_what_others_add_between_blocks_is_found(tmp_path: Path) -> None:
    """Whoever fills an empty index knows its keys (filling.py), until somebody else writes."""
    room = make_room(open_store(Settings(home=str(tmp_path))))
    assert room.load([room.record("H1", "1", name="张伟", phone="13800000001")], 20) == {"new": 1}
    room.put("H2", "2", id_number=SAMPLE)
    again = [room.record("H3", "3", id_number=SAMPLE), room.record("H1", "1", name="张伟", phone="13800000001")]
    assert room.load(again, 20) == {"linked": 1, "unchanged": 1}
    assert room.load(again, 20) == {"unchanged": 2}
