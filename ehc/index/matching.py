"""Whom may a record be? Candidates by key, each person judged by all of its records together."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ehc.index.deciding import Decider, Decision, Seen, Verdict
from ehc.index.index_store import Neighbours
from ehc.index.keys import Keys
from ehc.index.person import Stored
from ehc.index.record import Record

MOST_IN_BLOCKS = 200
"""So many records of all blocks are looked at: a phone that thousands give finds nobody by itself."""


class Match(msgspec.Struct, frozen=True):
    """root: the person. decision: what its records say together, with the score of the one that is most alike."""

    root: int
    decision: Decision
    records: Sequence[Stored]

    @property
    def verdict(self) -> Verdict:
        return self.decision.verdict


def matches(
    reader: Neighbours, decider: Decider, record: Record, keys: Keys, without: Collection[int] = ()
) -> list[Match]:
    """Persons that a record may be about, the likeliest first. keys: its own; without: roots that are left out."""
    found = reader.roots_having(keys.identifiers) | reader.roots_having(keys.blocks, MOST_IN_BLOCKS)
    roots = found - set(without)
    if not roots:
        return []
    seen = decider.see(record)
    judged = [Match(root, _judge(decider, seen, records), records) for root, records in reader.clusters(roots).items()]
    if len(judged) == 1:
        return judged
    return sorted(judged, key=lambda one: (-one.verdict, -one.decision.score.bits, one.root))


def _judge(decider: Decider, seen: Seen, records: Sequence[Stored]) -> Decision:
    """All that is said of one person together: a contradiction with any stands against what the others say."""
    decisions = [decider.decide_seen(seen, decider.see(one.body)) for one in records]
    if len(decisions) == 1:
        return decisions[0]
    best = max(decisions, key=lambda one: (one.verdict, one.score.bits))
    against = next((one for one in decisions if one.reason.startswith("contradiction")), None)
    if against is not None and best.verdict is not Verdict.APART:
        return Decision(Verdict.REVIEW, against.reason, best.score)
    return best


def contradict(decider: Decider, one: Sequence[Stored], other: Sequence[Stored]) -> bool:
    """Whether any record of one person speaks against any of the other."""
    return any(decider.contradicts(first.body, second.body) for first in one for second in other)
