"""What a store of the index must do. One suite runs over every one: tests/contract/test_index_store.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ehc.index.domain import Domain
from ehc.index.history import Event, Kind
from ehc.index.person import Stored
from ehc.index.record import Record
from ehc.index.review import Review, ReviewAnswer, Vote


class Found(NamedTuple):
    """A record that has a key (keys.py)."""

    key: int
    stored: Stored


class Page(NamedTuple):
    """Records as pairs (record, body) and where the next page begins; None: this was the last."""

    rows: Sequence[Stored]
    after: int | None


class NewRecords(NamedTuple):
    """Records that are not there yet, row for row, and their keys, in the order of keys, each once."""

    numbers: NDArray[np.int64]
    persons: NDArray[np.int64]
    whys: Sequence[str]
    bodies: Sequence[bytes]  # record.encode
    keys: NDArray[np.int64]
    owners: NDArray[np.int64]  # the record that has each key


class Neighbours(Protocol):
    """Whom a record may be. All raise Unavailable."""

    def by_keys(self, keys: Collection[int], most: int = 1000) -> Sequence[Found]:
        """Records that have one of these keys, at most so many, those with a smaller number first."""
        ...

    def roots_having(self, keys: Collection[int], most: int = 1000) -> Set[int]:
        """Where those stand whom by_keys finds."""
        ...

    def cluster(self, root: int) -> Sequence[Stored]:
        """Records of all persons whose root this is, by number."""
        ...

    def clusters(self, roots: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        """As cluster, of many."""
        ...

    def is_apart(self, one: int, other: int) -> bool:
        """Whether somebody said so of two persons that stand at these two roots."""
        ...


class IndexReader(Neighbours, Protocol):
    """All raise Unavailable."""

    def records(self, numbers: Collection[int]) -> Sequence[Stored]:
        """In the order of their numbers; those that there are."""
        ...

    def having(self, keys: Collection[int]) -> Mapping[int, Sequence[Stored]]:
        """Persons of whose records one has one of these keys, as clusters; of at most 1000 such records."""
        ...

    def root(self, person: int) -> int:
        """Raises NotFound for a person that never was."""
        ...

    def into(self, person: int) -> int | None:
        """Whom a merged person points at; None for one that is not merged."""
        ...

    def kept_apart(self, one: int, other: int) -> Sequence[tuple[int, int]]:
        """Pairs of persons that stand at two roots of which somebody said that they are two, smaller number first."""
        ...


class Placing(Neighbours, Protocol):
    """What it takes to place a record among its neighbours."""

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
        """One event, and what follows from it. A record, person or other that is OWN is its own number
        (history.numbered). keys: of the body; a record keeps those of its former bodies. Raises Conflict, NotFound as
        history.apply."""
        ...

    def open_review(self, review: Review) -> Review:
        """With its number; the one that is open already of the same matter and persons (record)."""
        ...


class IndexWriter(IndexReader, Placing, Protocol):
    """One transaction. There is one writer at a time, so what it reads stays true until it is done."""

    @property
    def next(self) -> int:
        """The number of the next event."""
        ...

    def keyed(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys that somebody has, and who: records in the order of keys and numbers, at most 1000 of a key."""
        ...

    def roots(self, records: Collection[int]) -> Collection[int]:
        """Where these records stand, each once."""
        ...

    def append_block(self, new: NewRecords, others: Sequence[tuple[Event, Sequence[int]]], at: int, by: str) -> None:
        """New records as events RECORDED under their numbers, and other events with keys of their bodies. Together
        their numbers follow one another, from `next` on."""
        ...

    def review(self, number: int) -> Review:
        """Raises NotFound."""
        ...

    def claim(self, number: int, by: str, until: int) -> None: ...

    def vote(self, number: int, vote: Vote) -> None: ...

    def close_review(self, number: int, answer: ReviewAnswer, at: int) -> None: ...


class IndexStore(IndexReader, Protocol):
    """What a method or a transaction gave back is committed."""

    def writing(self) -> AbstractContextManager[IndexWriter]:
        """Rolled back where the block raises."""
        ...

    def expect_many(self) -> None:
        """Files of records come: what makes them quicker may take some hundreds of MiB from now on."""
        ...

    def rules_version(self) -> tuple[int, int]:
        """Another one after every registered domain and every model."""
        ...

    def domains(self) -> Sequence[Domain]:
        """Those registered here, beside domain.NATIONAL."""
        ...

    def add_domain(self, domain: Domain) -> None:
        """Raises Conflict for a code or a system that there is."""
        ...

    def page(self, after: int, limit: int) -> Page:
        """All records, by number."""
        ...

    def history(self, person: int) -> Sequence[Event]:
        """Every event that says, at whatever moment, who this person is, in order: fold them (history.replay)."""
        ...

    def events(self, after: int, limit: int) -> Sequence[Event]:
        """Those with a greater number, in order: what was committed later has a greater one."""
        ...

    def offset(self, consumer: str) -> int:
        """The last event that a consumer has done; 0 for a new one."""
        ...

    def commit_offset(self, consumer: str, number: int, at: int) -> None:
        """Never backwards. Raises InputError for an event that is not there."""
        ...

    def take_turn(self, consumer: str, now: int, until: int) -> int | None:
        """The place that was kept, for whoever has the turn until then; None while another store has it."""
        ...

    def keep_place(self, consumer: str, place: int) -> None:
        """By who has the turn. Never backwards."""
        ...

    def reviews(self, *, closed: bool, after: int, limit: int) -> Sequence[Review]: ...

    def model(self) -> str | None:
        """The weights in use, as weights.to_json; None where none were trained."""
        ...

    def set_model(self, text: str, at: int, by: str) -> int:
        """Kept beside those before it; its number."""
        ...
