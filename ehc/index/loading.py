"""Many records at once, in one transaction a block: linked by strong identifiers; `batch.py` does the rest.

A record of which nothing is known founds a person. One that shares a sound strong number with one person, and that
the rules merge with all that is said of that person, joins it. Every other one goes the way of a single record
(master.place), with weights and tasks for readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ehc.cards.accounts import Act
from ehc.index.deciding import Verdict
from ehc.index.index_store import IndexStore, IndexWriter, NewRecord
from ehc.index.lines import Prepared
from ehc.index.master import place, revise
from ehc.index.matching import judge
from ehc.index.person import Stored
from ehc.index.record import Record
from ehc.index.rulebook import Rulebook, Rules

BLOCK = 32_768
"""Records that one transaction takes best."""


class Loader:
    """Raises Unavailable; what was counted is committed."""

    def __init__(self, store: IndexStore, rulebook: Rulebook) -> None:
        self._store, self._book = store, rulebook

    def load(self, records: Sequence[Prepared], act: Act) -> Counter[str]:
        """How many were new, linked, updated, unchanged, held. The same block again changes nothing."""
        rules = self._book.now()
        last = list({one.record.key: one for one in records}.values())  # a source's last word counts
        with self._store.writing() as writer:
            return _Block(writer, rules, act).put(last)


class _Block:
    """One transaction's work. A person has its number; one that this block founds, its row, negative, minus one."""

    def __init__(self, writer: IndexWriter, rules: Rules, act: Act) -> None:
        self._writer, self._rules, self._act = writer, rules, act
        self._new: list[NewRecord] = []
        self._persons: dict[int, set[int]] = {}  # strong key -> persons who have it
        self._bodies: dict[int, list[Record]] = {}  # person -> what is said of it

    def put(self, rows: Sequence[Prepared]) -> Counter[str]:
        done: Counter[str] = Counter()
        own = self._learn({key for row in rows for key in row.strong})
        hard: list[Record] = []
        for row in rows:
            outcome = "" if row.record.key in own else self._easily(row)
            if outcome:
                done[outcome] += 1
            else:
                hard.append(row.record)
        self._writer.append_new(self._new, self._act.now, self._act.by)
        for record in hard:
            done[self._singly(record, own.get(record.key))] += 1
        return done

    def _learn(self, keys: set[int]) -> Mapping[tuple[str, str], Stored]:
        """Whom the index has under these keys; by source and number, the records themselves."""
        found = self._writer.by_keys(keys, most=len(keys) * 8)
        for one in found:
            self._persons.setdefault(one.key, set()).add(one.stored.root)
        for root, records in self._writer.clusters({one.stored.root for one in found}).items():
            self._bodies[root] = [one.body for one in records]
        return {one.stored.body.key: one.stored for one in found}

    def _easily(self, row: Prepared) -> str:
        """What became of it; empty where that is not plain."""
        persons = {person for key in row.strong for person in self._persons.get(key, ())}
        if not persons:
            return self._take(row, None, "")
        if len(persons) > 1:
            return ""
        [person] = persons
        decision = judge(self._rules.decider, row.record, self._bodies[person])
        if decision.verdict is not Verdict.MERGE:
            return ""
        return self._take(row, person, f"rule:{decision.reason}")

    def _take(self, row: Prepared, person: int | None, why: str) -> str:
        at = -len(self._new) - 1 if person is None else person
        for key in row.strong:
            self._persons.setdefault(key, set()).add(at)
        self._bodies.setdefault(at, []).append(row.record)
        self._new.append(NewRecord(person, row.record, row.keys, why))
        return "new" if person is None else "linked"

    def _singly(self, record: Record, known: Stored | None) -> str:
        if known is None:
            return place(self._writer, self._rules, record, self._act).outcome
        [fresh] = self._writer.records([known.record])
        return revise(self._writer, self._rules, fresh, record, self._act).outcome
