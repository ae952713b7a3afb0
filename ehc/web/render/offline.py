"""Verdicts of checks that were made offline: what an outsider must not tell apart looks alike here too."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from ehc.codes.batch import OfflineVerdict, Unjudged
from ehc.model import STEPS, Claimant, Reason
from ehc.web.render.base import time_or_none
from ehc.web.render.verify import LOOK_ALIKE
from ehc.web.wire import verify as wire

_ACCEPTED = wire.Outcome.ACCEPTED
_INVALID = wire.OfflineVerdict(False, reason=wire.Outcome.INVALID)
_REFUSED = {
    reason: wire.OfflineVerdict(False, reason=wire.Outcome(reason.value), step=STEPS[reason]) for reason in Reason
}
_UNJUDGED = {why: wire.OfflineVerdict(False, ruling=why) for why in ("malformed", "too_late", "too_early", "clock")}


def verdicts(
    found: Sequence[OfflineVerdict | Unjudged], told: Sequence[bool], drift: int, *, explain: bool
) -> wire.OfflineVerdicts:
    """told: what the terminal said, row for row."""
    rows = [_row(one, explain) for one in found]
    is_accepted = [row.accepted for row in rows]
    accepted, unjudged = is_accepted.count(True), [*map(type, found)].count(Unjudged)
    conflicts = sum(map(operator.gt, told, is_accepted))  # said, and not so
    return wire.OfflineVerdicts(rows, accepted, len(rows) - accepted - unjudged, unjudged, conflicts, drift)


def _row(one: OfflineVerdict | Unjudged, explain: bool) -> wire.OfflineVerdict:
    if isinstance(one, Unjudged):
        return _UNJUDGED[one.why]
    if (card := one.card) is not None:
        return wire.OfflineVerdict(True, "judged", _ACCEPTED, 0, card.name, card.card_id, one.profile)
    if one.first is not None:
        return wire.OfflineVerdict(False, reason=wire.Outcome.REPLAYED, step=8, first=_first(one.first))
    return _INVALID if one.reason in LOOK_ALIKE and not explain else _REFUSED[one.reason]


def _first(of: Claimant) -> wire.FirstUse:
    institution, _, terminal = of.place.partition(" ")
    return wire.FirstUse(institution or None, terminal or None, time_or_none(of.at))
