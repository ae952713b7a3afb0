"""A block of records that come in together, answering as the store would if they came one by one.

Of the whole block's keys the store is asked once. A record that shares no key with another one, of the block or of the
store, is a new person: no rule could say otherwise, and nothing of it is made an object. All others are placed one
after another by the rules of a single record (master.put), over what was asked and what the block did before. What was
done is written at the end, in a few statements: the same events, under the same numbers.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ehc.cards.accounts import Act
from ehc.index.history import Event, Kind, numbered
from ehc.index.index_store import Found, IndexWriter, NewRecords
from ehc.index.lines import Columns
from ehc.index.person import Stored
from ehc.index.record import Record, decode
from ehc.index.review import Review

Numbers = NDArray[np.int64]


class Block:
    """index_store.Placing. touched: rows that share a key with any other record, in order; it may grow."""

    def __init__(self, writer: IndexWriter, rows: Columns, act: Act) -> None:
        self._writer, self._rows, self._act = writer, rows, act
        self._first = self._next = writer.next
        self._number, self._person = np.zeros((2, len(rows)), np.int64)  # of rows that are new records
        self._why: dict[int, str] = {}
        self._others: list[tuple[Event, Sequence[int]]] = []
        self._stored: dict[int, Stored] = {}
        self._members: dict[int, list[int]] = {}  # root -> its records
        self._came: dict[int, set[int]] = {}  # root -> roots of before the block that it stands for
        self._row = 0
        keys, places, of, counts = np.unique(rows.keys, return_index=True, return_inverse=True, return_counts=True)
        self._keys, self._places = keys, places
        self._asked = set(keys.tolist())
        self._having: dict[int, list[int]] = {}  # key -> records
        shared = (counts > 1) | np.isin(keys, self._learn(keys))
        starts = np.concatenate([[0], rows.ends[:-1]])
        touched = np.logical_or.reduceat(shared[of], starts) if len(rows) else starts
        self.touched: list[int] = np.flatnonzero(touched).tolist()

    def _learn(self, keys: Numbers) -> Numbers:
        """Whom the store has under these keys, which were not asked for before; those that somebody has."""
        found, records = self._writer.keyed(keys)
        for key, record in zip(found.tolist(), records.tolist(), strict=True):
            self._having.setdefault(key, []).append(record)
        unknown = set(records.tolist()) - self._stored.keys()
        for root, members in self._writer.clusters(self._writer.roots(unknown)).items():
            self._members[root] = [one.record for one in members]
            self._stored.update((one.record, one) for one in members)
        return found

    def _ask(self, keys: Collection[int]) -> None:
        """A record's former numbers are not among the block's keys."""
        if self._asked.issuperset(keys):
            return
        new = sorted(set(keys) - self._asked)
        self._asked.update(new)
        self._learn(np.array(new, np.int64))

    def _wake(self, keys: Iterable[int]) -> None:
        """Former numbers of a changed record may be in a row that shares nothing else: it is touched after all."""
        for key in keys:
            at = int(np.searchsorted(self._keys, key))
            if key in self._having or at == len(self._keys) or self._keys[at] != key:
                continue
            row = int(np.searchsorted(self._rows.ends, self._places[at], "right"))
            if row < self._row:
                self._place(row)
            elif row > self._row and row not in self.touched:
                insort(self.touched, row)

    def _place(self, row: int) -> None:
        """A row that was taken without a look."""
        number, body = int(self._number[row]), decode(self._rows.bodies[row])
        self._stored[number] = Stored(number, number, number, number, self._act.now, body)
        self._members[number] = [number]
        for key in self._rows.keys_at(row).all:
            insort(self._having.setdefault(key, []), number)

    # --- rows

    def take(self, begin: int, end: int) -> None:
        """Rows that share nothing: each is a new person."""
        numbers = np.arange(self._next, self._next + end - begin)
        self._number[begin:end] = self._person[begin:end] = numbers
        self._next += end - begin

    def at(self, row: int) -> Block:
        """What is recorded next is this row."""
        self._row = row
        return self

    def finish(self) -> None:
        new = np.flatnonzero(self._number)
        counts = np.diff(self._rows.ends, prepend=0)
        owners = np.repeat(self._number, counts)
        keys, owners = self._rows.keys[owners > 0], owners[owners > 0]
        order = np.argsort(keys, kind="stable")
        keys, owners = keys[order], owners[order]
        once = np.ones(len(keys), bool)
        once[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
        rows = new.tolist()
        whys, bodies = [self._why.get(row, "") for row in rows], [self._rows.bodies[row] for row in rows]
        made = NewRecords(self._number[new], self._person[new], whys, bodies, keys[once], owners[once])
        self._writer.append_block(made, self._others, self._act.now, self._act.by)

    # --- as a store's writer

    def by_keys(self, keys: Collection[int], most: int = 1000) -> Sequence[Found]:
        self._ask(keys)
        having = self._having
        pairs = sorted([(record, key) for key in having.keys() & keys for record in having[key]])
        return [Found(key, self._stored[record]) for record, key in pairs[:most]]

    def cluster(self, root: int) -> Sequence[Stored]:
        return [self._stored[record] for record in self._members.get(root, ())]

    def clusters(self, roots: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        return {root: self.cluster(root) for root in roots if root in self._members}

    def is_apart(self, one: int, other: int) -> bool:
        """Nobody has said so of persons that this block founds."""
        pairs = [(a, b) for a in self._came.get(one, {one}) for b in self._came.get(other, {other})]
        return any(self._writer.is_apart(a, b) for a, b in pairs if max(a, b) < self._first)

    def open_review(self, review: Review) -> Review:
        return self._writer.open_review(review)

    def append(
        self,
        kind: Kind,
        at: int,
        by: str,
        why: str,
        *,
        record: int = 0,
        person: int = 0,
        other: int = 0,
        body: Record | None = None,
        keys: Sequence[int] = (),
    ) -> Event:
        event = numbered(self._next, kind, at, by, why, record=record, person=person, other=other, body=body)
        self._next += 1
        self._ask(keys)
        if kind is Kind.UPDATED:
            self._wake(keys)
        for key in keys:
            having = self._having.setdefault(key, [])
            if event.record not in having:
                insort(having, event.record)
        if kind is Kind.RECORDED:
            self._recorded(event)
        else:
            self._others.append((event, keys))
            (self._merged if kind is Kind.MERGED else self._updated)(event)
        return event

    def _recorded(self, event: Event) -> None:
        assert event.body is not None  # noqa: S101  this kind has one
        self._number[self._row], self._person[self._row], self._why[self._row] = event.record, event.person, event.why
        stored = Stored(event.record, event.person, event.person, event.number, event.at, event.body)
        self._stored[event.record] = stored
        self._members.setdefault(event.person, []).append(event.record)

    def _updated(self, event: Event) -> None:
        assert event.body is not None  # noqa: S101  this kind has one
        old = self._stored[event.record]
        self._stored[event.record] = replace(old, version=event.number, at=event.at, body=event.body)

    def _merged(self, event: Event) -> None:
        gone, kept = event.person, event.other
        moved = self._members.pop(gone)
        self._stored.update((record, replace(self._stored[record], root=kept)) for record in moved)
        self._members[kept] = sorted([*self._members[kept], *moved])
        self._came[kept] = self._came.pop(gone, {gone}) | self._came.get(kept, {kept})
