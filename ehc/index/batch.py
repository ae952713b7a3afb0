"""All records against each other: what the index merges, and what people read, after everything is loaded.

1 pairs     records that share a block (keys.py), or those that `store/splink_batch.py` scores with Splink
2 decide    every pair by deciding.py; one that is one person already is passed over
3 plan      pairs to merge make groups. A group in which numbers contradict each other, or that people have kept
            apart, is not merged by weights: its strong pairs are, one by one, the others are read by people
4 do        one transaction a part of the plan, each merge checked once more against what is there then
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ehc.cards.accounts import Act
from ehc.index.deciding import Decider, Decision, Seen, Verdict
from ehc.index.history import Kind
from ehc.index.index_store import IndexStore, IndexWriter
from ehc.index.keys import BLOCKS, blocks
from ehc.index.matching import contradict
from ehc.index.person import Stored
from ehc.index.record import Record
from ehc.index.review import Matter, Review
from ehc.index.rulebook import Rulebook

LARGEST = 100
"""Records in a block from which it says too little: a shared phone of a shop, a name that thousands have."""
STEP = 2_000
PAGE = 50_000


class Pair(NamedTuple):
    """Two records, by number, and what the rules say of them."""

    one: int
    other: int
    decision: Decision


class Blocking(NamedTuple):
    """What the blocks gave. too_large: blocks that were passed over, by kind, and how many records they held."""

    records: int
    blocks: int
    pairs: int
    too_large: Mapping[str, int]


class Result(NamedTuple):
    blocking: Blocking
    merged: int
    reviews: int
    refused: int  # merges that something spoke against when it came to them


def pairs_of_blocks(bodies: Mapping[int, Record]) -> tuple[set[tuple[int, int]], Blocking]:
    """Pairs that share a block, each once, smaller number first."""
    keys, numbers, kinds = array("q"), array("q"), array("b")
    for number, body in bodies.items():
        for kind, key in blocks(body):
            keys.append(key)
            numbers.append(number)
            kinds.append(BLOCKS.index(kind))
    order = np.lexsort((numbers, keys))
    sorted_keys, sorted_numbers = np.asarray(keys)[order], np.asarray(numbers)[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[:1] - 1))
    sizes = np.diff(starts, append=len(sorted_keys))
    pairs: set[tuple[int, int]] = set()
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        if size <= LARGEST:
            block = sorted(set(sorted_numbers[start : start + size].tolist()))
            pairs.update((a, b) for i, a in enumerate(block) for b in block[i + 1 :])
    large = np.asarray(kinds)[order][starts[sizes > LARGEST]]
    passed: Counter[str] = Counter()
    for kind, size in zip(large.tolist(), sizes[sizes > LARGEST].tolist(), strict=True):
        passed[BLOCKS[kind]] += size
    return pairs, Blocking(len(bodies), len(starts), len(pairs), passed)


class Batch:
    """Raises Unavailable; what was done before is done."""

    def __init__(self, store: IndexStore, rulebook: Rulebook) -> None:
        self._store, self._book = store, rulebook

    def run(self, act: Act, pairs: Iterable[tuple[int, int]] | None = None) -> Result:
        """pairs: of record numbers, from elsewhere; None: those of the blocks."""
        stored = {one.record: one for one in self.everything()}
        bodies = {number: one.body for number, one in stored.items()}
        given, blocking = pairs_of_blocks(bodies) if pairs is None else (set(pairs), Blocking(len(stored), 0, 0, {}))
        decided = list(self.decide(stored, given))
        return self.do(stored, decided, blocking, act)

    def everything(self) -> Iterator[Stored]:
        after: int | None = 0
        while after is not None:
            page = self._store.page(after, PAGE)
            yield from page.rows
            after = page.after

    def decide(self, stored: Mapping[int, Stored], pairs: Iterable[tuple[int, int]]) -> Iterator[Pair]:
        """Those of two persons that are to be merged or read."""
        decider = self._book.now().decider
        known: dict[int, Seen] = {}

        def seen(one: Stored) -> Seen:
            if one.record not in known:
                known[one.record] = decider.see(one.body)
            return known[one.record]

        for a, b in pairs:
            one, other = stored[a], stored[b]
            if one.root != other.root:
                decision = decider.decide_seen(seen(one), seen(other))
                if decision.verdict is not Verdict.APART:
                    yield Pair(a, b, decision)

    def do(self, stored: Mapping[int, Stored], decided: Sequence[Pair], blocking: Blocking, act: Act) -> Result:
        sure = [one for one in decided if one.decision.verdict is Verdict.MERGE]
        doubted = _doubted(self._book.now().decider, stored, sure)
        strong = [one for one in sure if one.decision.reason.startswith("strong") or not doubted(one)]
        asked = [one for one in decided if one.decision.verdict is Verdict.REVIEW] + [
            one for one in sure if doubted(one)
        ]
        strong.sort(key=lambda one: (-one.decision.score.bits, one.one, one.other))
        merged, refused = self._merge(stored, strong, act)
        return Result(blocking, merged, self._ask(stored, asked, act), refused)

    def _merge(self, stored: Mapping[int, Stored], sure: Sequence[Pair], act: Act) -> tuple[int, int]:
        decider, done = self._book.now().decider, Counter[bool]()
        for at in range(0, len(sure), STEP):
            with self._store.writing() as writer:
                for pair in sure[at : at + STEP]:
                    outcome = _merge_one(writer, decider, stored, pair, act)
                    if outcome is not None:
                        done[outcome] += 1
        return done[True], done[False]

    def _ask(self, stored: Mapping[int, Stored], asked: Sequence[Pair], act: Act) -> int:
        opened: set[int] = set()
        for at in range(0, len(asked), STEP):
            with self._store.writing() as writer:
                for pair in asked[at : at + STEP]:
                    opened |= _open(writer, stored, pair, act.now)
        return len(opened)


def _doubted(decider: Decider, stored: Mapping[int, Stored], sure: Sequence[Pair]) -> Callable[[Pair], bool]:
    """Whether a pair stands in a group of which two contradict each other."""
    group: dict[int, int] = {}

    def find(one: int) -> int:
        while group.setdefault(one, one) != one:
            group[one] = group[group[one]]
            one = group[one]
        return one

    for pair in sure:
        group[find(stored[pair.one].root)] = find(stored[pair.other].root)
    members: dict[int, set[int]] = defaultdict(set)
    for pair in sure:
        members[find(stored[pair.one].root)] |= {pair.one, pair.other}
    clashing = {at for at, numbers in members.items() if len(numbers) > 1 and _clash(decider, stored, sorted(numbers))}
    return lambda pair: find(stored[pair.one].root) in clashing


def _clash(decider: Decider, stored: Mapping[int, Stored], numbers: Sequence[int]) -> bool:
    bodies = [stored[number] for number in numbers]
    return any(contradict(decider, [one], bodies[i + 1 :]) for i, one in enumerate(bodies))


def _merge_one(
    writer: IndexWriter, decider: Decider, stored: Mapping[int, Stored], pair: Pair, act: Act
) -> bool | None:
    """None: they are one already. False: something speaks against it by now."""
    kept, gone = sorted(writer.root(stored[number].person) for number in (pair.one, pair.other))
    if kept == gone:
        return None
    if writer.is_apart(kept, gone) or contradict(decider, writer.cluster(kept), writer.cluster(gone)):
        return False
    why = pair.decision.reason
    writer.append(Kind.MERGED, act.now, f"rule:{why}", why, person=gone, other=kept)
    return True


def _open(writer: IndexWriter, stored: Mapping[int, Stored], pair: Pair, now: int) -> set[int]:
    low, high = sorted(writer.root(stored[number].person) for number in (pair.one, pair.other))
    if low == high or writer.is_apart(low, high):
        return set()
    task = Review(0, Matter.PAIR, now, low, high, 0, pair.decision.reason, pair.decision.score.bits)
    return {writer.open_review(task).number}
