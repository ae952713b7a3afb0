"""Outcomes of rows."""

from __future__ import annotations

from ehc.cards.bulk_registration import RegisteredRow
from ehc.web.wire.bulk import RowOutcome


def row(number: int, of: RegisteredRow) -> RowOutcome:
    if of.outcome is None:
        refused = of.refused
        return RowOutcome(number, "refused", None, refused and refused.field, refused and refused.reason)
    return RowOutcome(number, of.outcome.value, of.card_id or None)


def refused(number: int, field: str, reason: str) -> RowOutcome:
    return RowOutcome(number, "refused", None, field or None, reason)
