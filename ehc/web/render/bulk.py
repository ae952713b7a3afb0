"""Outcomes of rows."""

from __future__ import annotations

from ehc.cards.account import Outcome
from ehc.cards.bulk_registration import RegisteredRow
from ehc.web.wire.bulk import RowOutcome, Word

_WORDS: dict[Outcome, Word] = {outcome: outcome.value for outcome in Outcome}


def row(number: int, of: RegisteredRow) -> RowOutcome:
    if (outcome := of.outcome) is None:
        refused = of.refused
        return RowOutcome(number, "refused", None, refused and refused.field, refused and refused.reason)
    return RowOutcome(number, _WORDS[outcome], of.card_id or None)


def refused(number: int, field: str, reason: str) -> RowOutcome:
    return RowOutcome(number, "refused", None, field or None, reason)
