"""How good a merging is, where the truth is known: of pairs of records that stand at one person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ehc.index.keys import blocks
from ehc.index.record import Record


class Quality(NamedTuple):
    """Counts of pairs of records."""

    right: int  # one person, and so in truth
    wrong: int  # one person, and not in truth
    missed: int  # one person in truth alone

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def quality(found: Mapping[int, int], truth: Mapping[int, int]) -> Quality:
    """found, truth: record -> person."""
    both = Counter((found[record], truth[record]) for record in found)
    right = sum(map(_pairs, both.values()))
    said = sum(map(_pairs, Counter(found.values()).values()))
    true = sum(map(_pairs, Counter(truth[record] for record in found).values()))
    return Quality(right, said - right, true - right)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


class Completeness(NamedTuple):
    """Of true pairs: how many share a block of any kind, or a sound strong number; and by kind."""

    pairs: int
    found: int
    by_kind: Mapping[str, int]

    @property
    def share(self) -> float:
        return self.found / max(1, self.pairs)


def completeness(
    bodies: Mapping[int, Record], truth: Mapping[int, int], numbers: Callable[[Record], Iterable[int]]
) -> Completeness:
    """What blocking finds at all (pairs completeness). numbers: keys of a record's sound strong numbers."""
    people: dict[int, list[int]] = defaultdict(list)
    for record, person in truth.items():
        people[person].append(record)
    kinds: Counter[str] = Counter()
    pairs = found = 0
    for records in people.values():
        keys = [_keys(bodies[record], numbers) for record in records]
        for i, one in enumerate(keys):
            for other in keys[i + 1 :]:
                shared = {kind for kind, some in one.items() if some & other.get(kind, set())}
                pairs, found = pairs + 1, found + bool(shared)
                kinds.update(shared)
    return Completeness(pairs, found, kinds)


def _keys(body: Record, numbers: Callable[[Record], Iterable[int]]) -> dict[str, set[int]]:
    keys: dict[str, set[int]] = defaultdict(set)
    for kind, key in blocks(body):
        keys[kind].add(key)
    keys["strong"] |= set(numbers(body))
    return keys
