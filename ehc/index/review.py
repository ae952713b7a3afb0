"""审核队列: what no rule may decide. A reader claims a task, says same or different, and why; two who agree decide.

A reader votes once on a task; where the first two differ a third one settles it. A claim ends by itself.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass

from ehc.cards.life import reason_of
from ehc.errors import Conflict, Forbidden
from ehc.index.record import Record

CLAIM_SECONDS = 900
READERS = 2
"""So many must agree."""


CHANGES, CONTRADICTS = "changes ", "contradicts another record of the person: "
"""How the reason of a held update begins: fields and domains follow."""


class Matter(enum.StrEnum):
    PAIR = "pair"  # are these two persons one?
    UPDATE = "update"  # a source says too much else about its record: is it still the same person?


class ReviewAnswer(enum.StrEnum):
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Vote:
    by: str
    answer: ReviewAnswer
    why: str
    at: int  # seconds since 1970, as all times here


@dataclass(frozen=True, slots=True)
class Review:
    """person, other: of a pair. record, body: of an update that is held, and what it would say."""

    number: int
    matter: Matter
    opened_at: int
    person: int
    other: int
    record: int
    reason: str  # which rule put it here
    score: float  # match weight in bits; 0 where none was taken
    body: Record | None = None
    claimed_by: str = ""
    claimed_until: int = 0
    closed_at: int | None = None
    answer: ReviewAnswer | None = None
    votes: tuple[Vote, ...] = ()


def require_claimable(review: Review, by: str, now: int) -> None:
    """Raises Conflict where it is closed or somebody else's, Forbidden for a second vote of one reader."""
    if review.closed_at is not None:
        raise Conflict("this task is decided already")
    if review.claimed_by not in ("", by) and review.claimed_until > now:
        raise Conflict("another reader has claimed this task")
    if any(vote.by == by for vote in review.votes):
        raise Forbidden("you have voted on this task: another reader must read it too")


def require_vote(review: Review, vote: Vote) -> None:
    """As require_claimable; and the voter must have claimed it. Raises InputError for a reason that says nothing."""
    require_claimable(review, vote.by, vote.at)
    if review.claimed_by != vote.by or review.claimed_until <= vote.at:
        raise Conflict("claim this task before you decide it")
    reason_of(vote.why)


def outcome(votes: tuple[Vote, ...]) -> ReviewAnswer | None:
    """What two readers agree on; None while they do not."""
    for answer, count in Counter(vote.answer for vote in votes).items():
        if count >= READERS:
            return answer
    return None
