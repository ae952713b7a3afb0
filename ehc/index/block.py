"""A block of records that come in together, answering as the store would if they came one by one.

Of the whole block's keys the store is asked once. A record that shares no key with another one, of the block or of the
store, is a new person: no rule could say otherwise, and nothing of it is made an object. All others are placed one
after another by the rules of a single record (master.put), over what was asked and what the block did before. What was
done is written at the end, in a few statements: the same events, under the same numbers.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence, Set

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ehc.cards.accounts import Act
from ehc.index.filling import Added, Filling
from ehc.index.history import Event, Kind, numbered
from ehc.index.index_store import Found, IndexWriter, NewRecords
from ehc.index.keys import Keys
from ehc.index.lines import Columns
from ehc.index.person import Stored
from ehc.index.record import Record, decode
from ehc.index.review import Review

Numbers = NDArray[np.int64]


class _Ordered:
    """A block's keys in their order, and the row that has each: those of one key in the order of rows."""

    def __init__(self, rows: Columns) -> None:
        of = np.repeat(np.arange(len(rows)), np.diff(rows.ends, prepend=0))
        self._order = np.argsort(rows.keys)  # quicker than a stable one; what is alike is put in order below
        self.keys, self.rows = rows.keys[self._order], of[self._order]
        self.alike = np.zeros(len(of), bool)
        again = self.keys[1:] == self.keys[:-1]
        self.alike[1:] |= again
        self.alike[:-1] |= again
        alike = np.flatnonzero(self.alike)
        self.rows[alike] = self.rows[alike][np.lexsort((self.rows[alike], self.keys[alike]))]

    def distinct(self) -> Numbers:
        first = np.ones(len(self.keys), bool)
        first[1:] = self.keys[1:] != self.keys[:-1]
        return self.keys[first]

    def among(self, keys: Numbers) -> NDArray[np.bool_]:
        """Which of them are in `keys`."""
        steps = np.zeros(len(self.keys) + 1, np.int64)
        some = np.unique(keys)
        steps[np.searchsorted(self.keys, some)] += 1
        steps[np.searchsorted(self.keys, some, "right")] -= 1
        return np.cumsum(steps[:-1]) > 0

    def row_of(self, key: int) -> int | None:
        """The first that has it."""
        at = int(np.searchsorted(self.keys, key))
        return int(self.rows[at]) if at < len(self.keys) and self.keys[at] == key else None

    def as_given(self, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The same of Columns.keys; alike for those of one key."""
        given = np.empty_like(which)
        given[self._order] = which
        return given


class _Shared:
    """Of a block's keys those that more than one record has, row for row. shared: of rows.keys, which they are."""

    def __init__(self, rows: Columns, shared: NDArray[np.bool_]) -> None:
        before = np.concatenate([[0], np.cumsum(shared)])
        starts = np.concatenate([np.zeros(1, np.int64), rows.ends[:-1]])[: len(rows)]
        self._keys: list[int] = rows.keys[shared].tolist()
        self._bounds = [before[at].tolist() for at in (starts, starts + rows.numbers, rows.ends)]

    def rows(self) -> list[int]:
        begins, _, ends = self._bounds
        return [row for row, (begin, end) in enumerate(zip(begins, ends, strict=True)) if begin < end]

    def keys_at(self, row: int) -> Keys:
        begin, split, end = (bound[row] for bound in self._bounds)
        return Keys(self._keys[begin:split], self._keys[split:end])


class Block:
    """index_store.Placing. touched: rows that share a key with any other record, in order; it may grow."""

    def __init__(self, writer: IndexWriter, rows: Columns, act: Act, filling: Filling) -> None:
        self._writer, self._rows, self._act = writer, rows, act
        self._first = self._next = writer.next
        self._number, self._person = np.zeros((2, len(rows)), np.int64)  # of rows that are new records
        self._why: dict[int, str] = {}
        self._others: list[tuple[Event, Sequence[int]]] = []
        self._stored: dict[int, Stored] = {}
        self._members: dict[int, list[int]] = {}  # root -> its records
        self._came: dict[int, set[int]] = {}  # root -> roots of before the block that it stands for
        self._row = 0
        self._keys = keys = _Ordered(rows)
        self._having: dict[int, list[int]] = {}  # key -> records
        there = filling.perhaps(keys.distinct(), writer.next)
        shared = keys.alike | keys.among(self._learn(there))
        self._asked = set(keys.keys[shared].tolist())  # beside all others of the block
        self._shared = _Shared(rows, keys.as_given(shared))
        self.touched: list[int] = self._shared.rows()
        self._woken: set[int] = set()

    def _learn(self, keys: Numbers) -> Numbers:
        """Whom the store has under these keys, which were not asked for before; those that somebody has."""
        if not len(keys):
            return keys
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
        new = np.array(sorted(set(keys) - self._asked), np.int64)
        self._asked.update(keys)
        unknown = new[[self._keys.row_of(key) is None for key in new.tolist()]]
        if len(unknown):
            self._learn(unknown)

    def _wake(self, keys: Iterable[int]) -> None:
        """Former numbers of a changed record may be in a row that shares nothing else: it is touched after all."""
        for key in keys:
            row = None if key in self._having else self._keys.row_of(key)
            if row is None:
                continue
            if row < self._row:
                self._place(row)
            elif row > self._row:
                self._woken.add(row)
                if row not in self.touched:
                    insort(self.touched, row)

    def _place(self, row: int) -> None:
        """A new record that was taken without a look, or by the keys alone that it shared."""
        number = int(self._number[row])
        if not number:
            return  # it was held, or said nothing new
        if number not in self._stored:
            self._know(number, row)
        self._have(number, self._rows.keys_at(row).all)

    def _know(self, number: int, row: int) -> None:
        body = decode(self._rows.bodies[row])
        self._stored[number] = Stored(number, number, number, number, self._act.now, body)
        self._members[number] = [number]

    def _have(self, record: int, keys: Iterable[int]) -> None:
        for key in keys:
            having = self._having.setdefault(key, [])
            at = bisect_left(having, record)
            if at == len(having) or having[at] != record:
                having.insert(at, record)

    # --- rows

    def take(self, begin: int, end: int) -> None:
        """Rows that share nothing: each is a new person."""
        if begin == end:
            return
        numbers = np.arange(self._next, self._next + end - begin)
        self._number[begin:end] = self._person[begin:end] = numbers
        self._next += end - begin

    def take_first(self, row: int) -> bool:
        """The same of the first one that has its keys; False where another one came before it."""
        keys = self.keys_at(row).all
        if not self._having.keys().isdisjoint(keys):
            return False
        self._know(self._next, row)
        self._have(self._next, keys)
        self.take(row, row + 1)
        return True

    def at(self, row: int) -> Block:
        """What is recorded next is this row."""
        self._row = row
        return self

    def keys_at(self, row: int) -> Keys:
        """Those of its keys that any other record has."""
        return self._rows.keys_at(row) if row in self._woken else self._shared.keys_at(row)

    def finish(self) -> Added:
        new = np.flatnonzero(self._number)
        owners = self._number[self._keys.rows]
        keys, owners = self._keys.keys[owners > 0], owners[owners > 0]
        once = np.ones(len(keys), bool)
        once[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
        rows = new.tolist()
        whys, bodies = [self._why.get(row, "") for row in rows], [self._rows.bodies[row] for row in rows]
        made = NewRecords(self._number[new], self._person[new], whys, bodies, keys[once], owners[once])
        self._writer.append_block(made, self._others, self._act.now, self._act.by)
        others = [key for _, keys in self._others for key in keys]
        return Added(self._first, self._next, np.concatenate([made.keys, np.array(others, np.int64)]))

    # --- as a store's writer

    def _pairs(self, keys: Collection[int], most: int) -> list[tuple[int, int]]:
        """Records and their keys among these."""
        self._ask(keys)
        having = self._having
        pairs = [(record, key) for key in set(keys) if key in having for record in having[key]]
        if len(pairs) > 1:
            pairs.sort()
        return pairs[:most]

    def by_keys(self, keys: Collection[int], most: int = 1000) -> Sequence[Found]:
        return [Found(key, self._stored[record]) for record, key in self._pairs(keys, most)]

    def roots_having(self, keys: Collection[int], most: int = 1000) -> Set[int]:
        self._ask(keys)
        stored, having = self._stored, self._having
        found = [record for key in keys if key in having for record in having[key]]
        if len(found) > most:
            found = [record for record, _ in self._pairs(keys, most)]
        return {stored[record].root for record in found}

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
        self._have(event.record, keys)
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
