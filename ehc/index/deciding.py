"""May these two records be one person's, and may a rule say so alone?

In this order:
    1 contradiction   each has a number of a kind that a person has one of for life, and they differ: no rule merges
                      them. Read by people where the rest speaks for one person, else two persons
    2 strong          they share a sound number of a strong domain. Merged where names are equal, or sound alike and the
                      birth dates agree. Where names differ (renamed, a parent's card, a twin's) people read
    3 weights         Fellegi–Sunter. Merged from `upper` where name and birth date agree by themselves. People read
                      what is above `lower`, so twins of one phone, address and mother are not merged
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Set
from typing import NamedTuple

import msgspec

from ehc.index.compare import Glance, View
from ehc.index.domain import BIRTH, MINDEX, Domains
from ehc.index.record import Record, contradictions, disjoint, single_values
from ehc.index.weights import ELSE, NOTHING, Score, Scorer

AGREE = frozenset({"equal", "fits"})
SOUND_ALIKE = AGREE | {"pinyin"}
PLAUSIBLE = SOUND_ALIKE | {NOTHING}
"""Beside a strong number."""
MISTYPED = 10.0
"""Bits beyond `upper` from which one wrong character in a birth date does not matter."""


class Verdict(enum.IntEnum):
    """In the order of how much they ask for one person."""

    APART = 0
    REVIEW = 1
    MERGE = 2


class Decision(msgspec.Struct, frozen=True):
    verdict: Verdict
    reason: str
    score: Score


class Seen(NamedTuple):
    """What is compared of a record. strong: sound numbers of strong domains, former ones too."""

    view: View
    strong: Set[tuple[str, str]]
    single: Mapping[str, Set[str]]  # record.single_values


class Decider:
    """Rules over pairs of records; no record is read anywhere."""

    def __init__(self, scorer: Scorer, domains: Domains) -> None:
        self._scorer, self._domains = scorer, domains
        self._strong = frozenset(one.code for one in domains if one.strong and one.code != MINDEX)

    def see(self, record: Record) -> Seen:
        strong = {(one.domain, one.value) for one in record.identifiers if one.sound and one.domain in self._strong}
        return Seen(Glance(record), strong, single_values(record, self._domains))

    def decide(self, one: Record, other: Record) -> Decision:
        return self.decide_seen(self.see(one), self.see(other))

    def decide_seen(self, one: Seen, other: Seen) -> Decision:
        """The same, for who compares a record with many."""
        score = self._scorer.score(one.view, other.view)
        against = disjoint(one.single, other.single)
        shared = sorted({domain for domain, _ in one.strong & other.strong})
        if against:
            return _contradicted(against[0], shared, score, self._scorer.model.upper)
        return _strong(shared, score) if shared else self._by_weights(score)

    def contradicts(self, one: Record, other: Record) -> bool:
        """Each has a number of a kind that a person has one of for life, and they differ."""
        return bool(contradictions(one, other, self._domains))

    def _by_weights(self, score: Score) -> Decision:
        model, name, birth = self._scorer.model, score.level("name"), score.level("birth_date")
        plain = name in AGREE and score.level("sex") != ELSE and _is_no_twin(score)
        least = model.upper + (0 if birth == "equal" else MISTYPED)
        if score.bits >= least and plain and birth in ("equal", "similar"):
            return Decision(Verdict.MERGE, "weights", score)
        if score.bits >= model.lower and (name != ELSE or score.level("number") != NOTHING):
            return Decision(Verdict.REVIEW, "weights", score)
        return Decision(Verdict.APART, "weights", score)


def _contradicted(domain: str, shared: Collection[str], score: Score, upper: float) -> Decision:
    alike = score.level("name") in SOUND_ALIKE and score.bits >= upper
    verdict = Verdict.REVIEW if shared or alike else Verdict.APART
    return Decision(verdict, f"contradiction:{domain}", score)


def _strong(shared: Collection[str], score: Score) -> Decision:
    name, birth = score.level("name"), score.level("birth_date")
    named = name in PLAUSIBLE or shared == [BIRTH]
    born = name in AGREE or birth in ("equal", "similar", NOTHING)
    verdict = Verdict.MERGE if named and born and _is_no_twin(score) else Verdict.REVIEW
    return Decision(verdict, f"strong:{next(iter(shared))}", score)


def _is_no_twin(score: Score) -> bool:
    return score.level("birth_order") != ELSE
