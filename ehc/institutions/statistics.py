"""Statistics of uses: what may be counted, and by what."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ehc.errors import InputError

HOUR = 3600
LONGEST = 366 * 24 * HOUR
"""Seconds that one question may span."""

MOST = 10_000
"""Rows of one answer."""


class Dimension(enum.StrEnum):
    PROVINCE = "province"  # first two digits of the region
    CITY = "city"  # first four
    REGION = "region"
    INSTITUTION = "institution"
    SCENE = "scene"
    OUTCOME = "outcome"
    DAY = "day"  # of China, by its first second
    HOUR = "hour"  # by its first second


@dataclass(frozen=True, slots=True)
class Question:
    """since, until: whole hours, seconds since 1970; until is no longer counted."""

    since: int
    until: int
    by: tuple[Dimension, ...] = ()
    region: str | None = None  # first digits
    institution: str | None = None
    scene: str | None = None


class Count(NamedTuple):
    values: tuple[str | int, ...]  # one a dimension of the question, in its order
    uses: int


class Statistics:
    """counts: the store's, UseStore.counts."""

    def __init__(self, counts: Callable[[Question, int], Sequence[Count]]) -> None:
        self._counts = counts

    def count(self, question: Question) -> Sequence[Count]:
        """Raises InputError for a question that is not answered, Unavailable."""
        if question.since % HOUR or question.until % HOUR:
            raise InputError("since, until: whole hours")
        if not 0 < question.until - question.since <= LONGEST:
            raise InputError("until: after since, and at most 366 days after it")
        found = self._counts(question, MOST + 1)
        if len(found) > MOST:
            raise InputError(f"by: more than {MOST} rows; ask for less time, one region, or fewer dimensions")
        return found


def dimensions(text: str) -> tuple[Dimension, ...]:
    """province,scene -> dimensions. Raises InputError."""
    words = text.split(",") if text else []
    unknown = sorted(set(words) - set(Dimension))
    if unknown or len(set(words)) < len(words):
        raise InputError(f"by: each at most once of {', '.join(Dimension)}, with commas between")
    return tuple(map(Dimension, words))
