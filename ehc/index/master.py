"""The master index (跨域主索引): records come in, persons come of them, people and rules link and merge.

What a rule does is an event by `rule:<reason>`; what somebody does is one by their name, and stands above rules: whom a
person kept apart no rule merges, and what a person merged no rule takes apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ehc.cards.accounts import Act
from ehc.cards.life import REASON_CHARACTERS
from ehc.errors import Conflict, NotFound
from ehc.index.deciding import Decider, Verdict
from ehc.index.domain import Domain, Domains
from ehc.index.history import OWN, Kind
from ehc.index.index_store import IndexReader, IndexStore, IndexWriter, Neighbours, Placing
from ehc.index.keys import Keys, keys_of
from ehc.index.matching import Match, contradict, matches
from ehc.index.person import Stored
from ehc.index.record import Record, changed, contradictions, strong_changes
from ehc.index.review import CHANGES, CONTRADICTS, Matter, Review
from ehc.index.rulebook import Rulebook, Rules

HELD_FROM = 2
"""An update that says so many strong fields otherwise is not done before people have read it."""
MOST_REVIEWS = 5


class Placed(msgspec.Struct, frozen=True):
    """What became of a record. outcome: new, linked, updated, unchanged, held; reviews: tasks that were opened."""

    record: int
    person: int
    outcome: str
    reason: str = ""
    reviews: tuple[int, ...] = ()


NO_RECORD = "no such record in the index"


class MasterIndex:
    """What changes the index. All raise Unavailable; what cannot be, Conflict; what is not there, NotFound."""

    def __init__(self, store: IndexStore, rulebook: Rulebook) -> None:
        self._store, self._book = store, rulebook

    def add_domain(self, domain: Domain) -> Domain:
        """Once: a code and a URI mean one domain for ever."""
        self._book.now().domains.require_new(domain)
        self._store.add_domain(domain)
        return domain

    # --- records

    def put(self, record: Record, act: Act) -> Placed:
        """What a source says now. The same again changes nothing."""
        rules, keys = self._book.now(), keys_of(record)
        with self._store.writing() as writer:
            return put(writer, rules, record, keys, act)

    # --- by hand

    def merge(self, one: int, other: int, act: Act) -> int:
        """Two persons become one; whom everybody sees from now on. Whoever said that they are two is overruled."""
        with self._store.writing() as writer:
            return merge_by_hand(writer, one, other, act)

    def unmerge(self, person: int, act: Act) -> int:
        """The person is as it was before it was merged, and no rule merges it with that other one again."""
        with self._store.writing() as writer:
            into = merged_into(writer, person)
            writer.append(Kind.UNMERGED, act.now, act.by, act.reason, person=person, other=into)
            writer.append(Kind.APART, act.now, act.by, act.reason, person=person, other=into)
        return person

    def link(self, record: int, person: int, act: Act) -> int:
        """The record stands at this person from now on."""
        with self._store.writing() as writer:
            known, root = _stored(writer, record), writer.root(person)
            if known.root == root:
                raise Conflict("the record stands at this person already")
            writer.append(Kind.MOVED, act.now, act.by, act.reason, record=record, person=known.person, other=root)
            return root

    def unlink(self, record: int, act: Act, source: str | None = None) -> int:
        """The record stands at a new person of its own, which no rule merges with the old one again. source: whose
        records alone may be meant; those of others are not found."""
        with self._store.writing() as writer:
            known = _stored(writer, record)
            if source not in (None, known.body.source):
                raise NotFound(NO_RECORD)
            return unlink(writer, known, act)


def put(writer: Placing, rules: Rules, record: Record, keys: Keys, act: Act) -> Placed:
    """keys: of the record; those that no other record has may be left out."""
    known = own_record(writer, record, keys)
    if known is None:
        return place(writer, rules, record, keys, act)
    return revise(writer, rules, known, record, act)


def revise(writer: Placing, rules: Rules, known: Stored, record: Record, act: Act) -> Placed:
    """What a source says anew of a record that is there."""
    new = changed(known.body, record, act.now)
    if new == known.body:
        return Placed(known.record, known.root, "unchanged")
    others = [one for one in writer.cluster(known.root) if one.record != known.record]
    why = _held_because(known.body, new, others, rules.domains)
    if why:
        task = Review(0, Matter.UPDATE, act.now, known.root, 0, known.record, why, 0.0, new)
        opened = writer.open_review(task)
        return Placed(known.record, known.root, "held", why, (opened.number,))
    keys = write_update(writer, known.record, new, act)
    return rematch(writer, rules.decider, known, new, keys, act)


def unlink(writer: IndexWriter, known: Stored, act: Act) -> int:
    if len(writer.cluster(known.root)) == 1:
        raise Conflict("the record is the only one of its person")
    moved = writer.append(Kind.MOVED, act.now, act.by, act.reason, record=known.record, person=known.person, other=OWN)
    writer.append(Kind.APART, act.now, act.by, act.reason, person=known.root, other=moved.number)
    return moved.number


def merge_by_hand(writer: IndexWriter, one: int, other: int, act: Act) -> int:
    kept, gone = sorted((writer.root(one), writer.root(other)))
    for low, high in writer.kept_apart(kept, gone):
        writer.append(Kind.TOGETHER, act.now, act.by, act.reason, person=low, other=high)
    writer.append(Kind.MERGED, act.now, act.by, act.reason, person=gone, other=kept)
    return kept


def merged_into(writer: IndexReader, person: int) -> int:
    """Whom a person points at. Raises Conflict for one that is not merged."""
    into = writer.into(person)
    if into is None:
        writer.root(person)  # NotFound, where it never was
        raise Conflict("this person is not merged into another one")
    return into


def _stored(reader: IndexReader, record: int) -> Stored:
    found = reader.records([record])
    if not found:
        raise NotFound(NO_RECORD)
    return found[0]


def own_record(reader: Neighbours, record: Record, keys: Keys) -> Stored | None:
    """What the index has of the same source's record."""
    return next((one.stored for one in reader.by_keys(keys.identifiers[:1]) if one.stored.body.key == record.key), None)


def _held_because(old: Record, new: Record, others: Sequence[Stored], domains: Domains) -> str:
    """Why people must read an update first; empty where they need not."""
    changes = strong_changes(old, new, domains)
    if len(changes) >= HELD_FROM:
        return f"{CHANGES}{', '.join(changes)}"[:REASON_CHARACTERS]
    for one in others:
        against = contradictions(new, one.body, domains)
        if against and not contradictions(old, one.body, domains):
            return f"{CONTRADICTS}{', '.join(against)}"[:REASON_CHARACTERS]
    return ""


def write_update(writer: Placing, record: int, new: Record, act: Act) -> Keys:
    """The keys of what it says now."""
    keys = keys_of(new)
    writer.append(Kind.UPDATED, act.now, act.by, act.reason, record=record, body=new, keys=keys.all)
    return keys


def place(writer: Placing, rules: Rules, record: Record, keys: Keys, act: Act) -> Placed:
    """A record that is new: at the person that it is surely about, else at one of its own."""
    decider = rules.decider
    found = matches(writer, decider, record, keys)
    sure = [one for one in found if one.verdict is Verdict.MERGE]
    clear = _are_one(writer, decider, sure)
    best = sure[0] if sure and clear else None
    event = writer.append(
        Kind.RECORDED,
        act.now,
        act.by,
        f"rule:{best.decision.reason}" if best else "",
        record=OWN,
        person=best.root if best else OWN,
        body=record,
        keys=keys.all,
    )
    root = _merge_all(writer, sure, act.now) if best else event.number
    asked = [one for one in found if one.verdict is Verdict.REVIEW or (one in sure and not clear)]
    reviews = _open_all(writer, root, asked, act.now)
    outcome, reason = ("linked", best.decision.reason) if best else ("new", "")
    return Placed(event.record, root, outcome, reason, reviews)


def _are_one(writer: Neighbours, decider: Decider, sure: Sequence[Match]) -> bool:
    """Whether all whom a record surely is may be one person."""
    pairs = [(one, other) for i, one in enumerate(sure) for other in sure[i + 1 :]]
    return not any(
        contradict(decider, one.records, other.records) or writer.is_apart(one.root, other.root) for one, other in pairs
    )


def _merge_all(writer: Placing, sure: Sequence[Match], now: int) -> int:
    """Persons that a record showed to be one; the oldest of them."""
    kept = min(one.root for one in sure)
    for one in sure:
        if one.root != kept:
            why = one.decision.reason
            writer.append(Kind.MERGED, now, f"rule:{why}", why, person=one.root, other=kept)
    return kept


def _open_all(writer: Placing, root: int, asked: Sequence[Match], now: int) -> tuple[int, ...]:
    opened = []
    for one in asked[:MOST_REVIEWS]:
        if one.root != root and not writer.is_apart(root, one.root):
            low, high = sorted((root, one.root))
            task = Review(0, Matter.PAIR, now, low, high, 0, one.decision.reason, one.decision.score.bits)
            opened.append(writer.open_review(task).number)
    return tuple(opened)


def rematch(writer: Placing, decider: Decider, known: Stored, new: Record, keys: Keys, act: Act) -> Placed:  # noqa: PLR0917
    """What a record says now may show that its person is another one too."""
    mine = writer.cluster(known.root)
    found = [
        one for one in matches(writer, decider, new, keys, [known.root]) if not writer.is_apart(known.root, one.root)
    ]
    sure = [one for one in found if one.verdict is Verdict.MERGE and not contradict(decider, mine, one.records)]
    root = known.root
    if sure and _are_one(writer, decider, sure):
        own = Match(known.root, sure[0].decision, mine)
        root = _merge_all(writer, [own, *sure], act.now)
    asked = [one for one in found if one.verdict is Verdict.REVIEW]
    return Placed(known.record, root, "updated", "", _open_all(writer, root, asked, act.now))
