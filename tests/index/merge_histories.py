"""Random histories of an index; in each, merges that are undone in whatever order leave exactly what was there.

python tests/index/merge_histories.py 1000000
"""

import sys
import time
from random import Random

from ehc.index.history import Event, Kind, State, apply, replay
from ehc.index.record import Record


def one_history(seed: int) -> int:
    """How many merges were undone and compared."""
    random = Random(seed)
    state, events = State(), list[Event]()

    def happen(kind: Kind, record: int = 0, person: int = 0, other: int = 0, body: Record | None = None) -> None:
        events.append(Event(len(events) + 1, len(events), kind, record, person, other, "t", "", body))
        apply(state, events[-1])

    for number in range(1, random.randint(3, 7)):
        happen(Kind.RECORDED, number, number, 0, Record("s", str(number)))
    for _ in range(random.randint(0, 4)):
        _anything(random, state, len(events) + 1, happen)
    before, undo = state.copy(), list[tuple[int, int]]()
    for _ in range(random.randint(1, 4)):
        roots = _roots(state)
        if len(roots) < 2:
            break
        one, other = random.sample(roots, 2)
        happen(Kind.MERGED, 0, one, other)
        undo.append((one, other))
    random.shuffle(undo)
    for one, other in undo:
        happen(Kind.UNMERGED, 0, one, other)
    assert state == before, f"seed {seed}"
    assert replay(events) == state, f"seed {seed}"
    return len(undo)


def _roots(state: State) -> list[int]:
    return sorted({state.root(person) for person in state.persons.values()})


def _anything(random: Random, state: State, number: int, happen) -> None:
    roots, record = _roots(state), random.choice(sorted(state.persons))
    what = random.randrange(5)
    if what == 0 and len(roots) > 1:
        happen(Kind.MERGED, 0, *random.sample(roots, 2))
    elif what == 1 and state.into:
        one = random.choice(sorted(state.into))
        happen(Kind.UNMERGED, 0, one, state.into[one])
    elif what == 2:
        happen(Kind.MOVED, record, state.persons[record], random.choice([*roots, number]))
    elif what == 3:
        happen(Kind.APART, 0, random.choice(roots), random.choice(roots))
    else:
        happen(Kind.UPDATED, record, 0, 0, Record("s", str(record), name=str(number)))


if __name__ == "__main__":
    wanted, began = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, time.monotonic()
    undone = sum(map(one_history, range(wanted)))
    print(f"{wanted:,} histories, {undone:,} merges undone, every state as before; {time.monotonic() - began:.0f} s")
