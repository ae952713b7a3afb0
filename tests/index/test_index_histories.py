"""Merge, then unmerge is the identity, whatever happened before; over the rules (hypothesis) and over a database.

The long run: `python tests/index/merge_histories.py 1000000` (what it printed stands in ehc/index/README.md).
"""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from index_rooms import act, make_room
from merge_histories import one_history

from ehc.config import Settings
from ehc.index.history import Event, Kind, State, apply, pair, replay, until
from ehc.index.record import Record
from ehc.wiring.stores import open_store


class Histories(RuleBasedStateMachine):
    """Every step is an event; the state is compared with a slow and obvious one: sets of records."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.state = State()

    def happen(self, kind: Kind, record: int = 0, person: int = 0, other: int = 0, body: Record | None = None) -> Event:
        event = Event(len(self.events) + 1, len(self.events), kind, record, person, other, "t", "", body)
        apply(self.state, event)
        self.events.append(event)
        return event

    def roots(self) -> list[int]:
        return sorted({self.state.root(person) for person in self.state.persons.values()})

    @initialize()
    def first(self) -> None:
        self.record()

    @rule()
    def record(self) -> None:
        number = len(self.events) + 1
        self.happen(Kind.RECORDED, number, number, 0, Record("s", str(number)))

    @rule(data=st.data())
    def say_otherwise(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(sorted(self.state.persons)))
        self.happen(Kind.UPDATED, record, body=Record("s", str(record), name=f"n{len(self.events)}"))

    @precondition(lambda self: len(self.roots()) > 1)
    @rule(data=st.data())
    def merge_and_look(self, data: st.DataObject) -> None:
        """Tried on a copy, with other things between, undone: what stands is what stood, and these other things."""
        one, other = data.draw(st.lists(st.sampled_from(self.roots()), min_size=2, max_size=2, unique=True))
        before = self.state.copy()
        self.happen(Kind.MERGED, person=one, other=other)
        assert self.state.root(one) == self.state.root(other)
        if data.draw(st.booleans()):
            self.happen(Kind.UNMERGED, person=one, other=other)
            assert self.state == before

    @precondition(lambda self: self.state.into)
    @rule(data=st.data())
    def unmerge(self, data: st.DataObject) -> None:
        """In whatever order: only this one pointer goes."""
        one = data.draw(st.sampled_from(sorted(self.state.into)))
        rest = {person: into for person, into in self.state.into.items() if person != one}
        self.happen(Kind.UNMERGED, person=one, other=self.state.into[one])
        assert self.state.into == rest

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(sorted(self.state.persons)))
        to = data.draw(st.sampled_from([*self.roots(), len(self.events) + 1]))
        self.happen(Kind.MOVED, record, self.state.persons[record], to)

    @rule(data=st.data())
    def keep_apart(self, data: st.DataObject) -> None:
        one, other = data.draw(st.sampled_from(self.roots())), data.draw(st.sampled_from(self.roots()))
        self.happen(Kind.APART, person=one, other=other)
        assert pair(one, other) in self.state.apart

    @invariant()
    def every_record_is_seen_at_one_person(self) -> None:
        seen = [record for root in self.roots() for record in self.state.records(root)]
        assert sorted(seen) == sorted(self.state.persons)

    def teardown(self) -> None:
        assert replay(self.events) == self.state
        for moment in range(0, len(self.events), 7):  # as of any moment: a shorter history
            assert replay(until(self.events, moment)) == replay(self.events[: moment + 1])


Histories.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHistories = Histories.TestCase


def test_ten_thousand_random_histories_end_where_they_began() -> None:
    assert sum(one_history(seed) for seed in range(10_000)) > 10_000


@pytest.mark.parametrize("seed", range(3))
def test_a_database_goes_the_same_way(tmp_path: Path, seed: int) -> None:
    """Random merges and unmerges over SQLite: state and answers as before."""
    random = Random(seed)
    stores = open_store(Settings(home=str(tmp_path)))
    room = make_room(stores)
    keys = [room.put("H1", str(i), name=f"测{i}", phone=f"1380000{i:04}").person for i in range(8)]
    for step in range(20):
        roots = sorted({room.finder.person(key).key for key in keys})
        one, other = sorted(random.sample(roots, 2)) if len(roots) > 1 else (0, 0)
        if one == 0:
            break
        before, seen = room.state(), [room.finder.person(key) for key in keys]
        room.master.merge(one, other, act(100 + step))
        if random.random() < 0.6:
            room.master.unmerge(other, act(100 + step))
            after = room.state()
            assert (after.bodies, after.persons, after.into) == (before.bodies, before.persons, before.into)
            assert [room.finder.person(key) for key in keys] == seen
    stores.close()
