"""A use of a card (用卡数据), how its report is ruled, and what a store of uses must do."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ehc.institutions.statistics import Count, Question


class Outcome(enum.StrEnum):
    """△ What the use came to."""

    SERVED = "served"  # the person was served
    REFUSED = "refused"  # the code or card was not accepted
    FAILED = "failed"  # something broke: device, network, the institution's system


@dataclass(frozen=True, slots=True)
class Use:
    """One use. By it nobody is named: the account number is internal."""

    institution: str
    record_id: str  # the institution's; unique in it
    used_at: int  # seconds since 1970
    account: int
    scene: str  # 诊疗环节, six digits
    outcome: Outcome
    department: str | None = None
    terminal: str | None = None


class Report(NamedTuple):
    """A use as an institution reports it, nothing of it checked. Exactly one of card_id and code is there."""

    record_id: str
    used_at: str  # RFC 3339, with its zone
    scene: str
    outcome: str
    card_id: str | None = None
    code: str | None = None  # the text that was scanned
    department: str | None = None
    terminal: str | None = None


class Ruling(enum.StrEnum):
    """What became of a report; all but the first two say that it was not kept."""

    KEPT = "kept"
    DUPLICATE = "duplicate"  # kept before
    CONFLICT = "conflict"  # another use was kept under this record id
    INVALID = "invalid"  # a field is malformed
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"  # it lies in the future
    DISABLED = "disabled"  # institution, department or terminal was disabled when it was used
    UNKNOWN_DEPARTMENT = "unknown_department"
    UNKNOWN_TERMINAL = "unknown_terminal"
    UNKNOWN_CARD = "unknown_card"


KEPT = (Ruling.KEPT, Ruling.DUPLICATE)


class Ruled(NamedTuple):
    record_id: str
    ruling: Ruling
    detail: str = ""  # what is wrong and what to do; empty when it is kept


class UseStore(Protocol):
    """Uses and their counts. What a method returned is committed. All raise Unavailable."""

    def keep(self, uses: Sequence[Use], now: int) -> Collection[str]:
        """Record ids of those that were not known; each is counted in the transaction that keeps it. The uses are of
        one institution, no id twice."""
        ...

    def known(self, institution: str, record_ids: Sequence[str]) -> Mapping[str, Use]:
        """record_id -> use."""
        ...

    def counts(self, question: Question, limit: int) -> Sequence[Count]:
        """In the order of the dimensions' values; at most limit."""
        ...
