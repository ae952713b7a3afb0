"""Uploads of uses (用卡数据): every row is ruled on, none is lost silently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from ehc.crypto import parse_payload
from ehc.crypto.signed import PREFIX, check_signed, day_of_alias
from ehc.errors import NotFound, PayloadError
from ehc.institutions.late import LatePolicy
from ehc.institutions.place import Department, Institution, Place, PlaceStore, Terminal
from ehc.institutions.register import CODE
from ehc.institutions.use import KEPT, Outcome, Report, Ruled, Ruling, Use, UseStore
from ehc.model import Card
from ehc.ports import AccountLookup, KeyService

BATCH = 500
"""Rows of one call, as in family B."""

_SCENE = re.compile(r"[0-9]{6}", re.ASCII)
_CARD_ID = re.compile(r"[0-9A-Fa-f]{1,128}")
_COMPACT = "EHC2:"

_TWICE = "another use was kept under this record id: number it anew"


class _Refused(Exception):
    def __init__(self, ruling: Ruling, detail: str) -> None:
        super().__init__(detail)
        self.ruling, self.detail = ruling, detail


@dataclass(frozen=True, slots=True)
class Records:
    """What institutions report. Raises Unavailable, KeyUnavailable: nothing is kept then; the call may be repeated."""

    places: PlaceStore
    uses: UseStore
    accounts: AccountLookup
    keys: KeyService
    policy: LatePolicy

    def upload(self, institution: str, reports: Sequence[Report], now: int) -> Sequence[Ruled]:
        """Rulings, row for row; at most BATCH rows. Raises NotFound for an institution that is not registered."""
        place = self.places.find(Institution, institution) if CODE.fullmatch(institution) else None
        if place is None:
            raise NotFound("no institution has this code")
        return _Upload(self, place, now).rule(reports)

    def owner(self, card_id: str | None, code: str | None, now: int) -> Card | None:
        """The card of a report. Raises _Refused for a text that names none."""
        if card_id is not None:
            return self.accounts.card(card_id.upper())
        text = code or ""
        if text[:5].upper() == _COMPACT:
            found = self.keys.check_compact(text.encode(), now, self.policy.tolerance).code
            if found is None or found.account is None:
                raise _Refused(Ruling.INVALID, "code: not one of this system's")
            return self.accounts.card_of_account(found.account)
        if text[:5].upper() == PREFIX:
            signed = check_signed(text, self.keys.verification_keys(), now, tolerance=self.policy.tolerance)
            issued_at = signed.issued_at
            account = None if issued_at is None else self.keys.open_alias(signed.alias, day_of_alias(issued_at))
            if account is None:
                raise _Refused(Ruling.INVALID, "code: not one of this system's")
            return self.accounts.card_of_account(account)
        try:
            return self.accounts.card(parse_payload(text).card_id)
        except PayloadError:
            raise _Refused(Ruling.INVALID, "code: not the text of a health card's code") from None


class _Upload:
    """One call."""

    def __init__(self, records: Records, institution: Institution, now: int) -> None:
        self._uses, self._institution, self._now = records.uses, institution, now
        self._earliest, self._latest = records.policy.earliest(now), records.policy.latest(now)
        self._owner = cache(lambda card_id, code: records.owner(card_id, code, now))
        find, code = records.places.find, institution.code
        self._department = cache(lambda its: find(Department, code, its) if CODE.fullmatch(its) else None)
        self._terminal = cache(lambda its: find(Terminal, code, its) if CODE.fullmatch(its) else None)

    def rule(self, reports: Sequence[Report]) -> list[Ruled]:
        ids = [one.record_id for one in reports if CODE.fullmatch(one.record_id)]
        known, new = dict(self._uses.known(self._institution.code, ids)), dict[str, Use]()
        rulings = [self._rule(report, known, new) for report in reports]
        kept = self._uses.keep(list(new.values()), self._now) if new else ()
        lost = [record_id for record_id in new if record_id not in kept]  # another call was quicker
        winners = self._uses.known(self._institution.code, lost) if lost else {}
        return [
            _again(new[one.record_id], winners[one.record_id])
            if one.record_id in winners and one.ruling in KEPT
            else one
            for one in rulings
        ]

    def _rule(self, report: Report, known: dict[str, Use], new: dict[str, Use]) -> Ruled:
        """new: takes what is to be kept."""
        try:
            before = known.get(report.record_id) or new.get(report.record_id)
            use = self._read(report, before is not None)
            if before is not None:
                return _again(use, before)
        except _Refused as error:
            return Ruled(report.record_id, error.ruling, error.detail)
        new[report.record_id] = use
        return Ruled(report.record_id, Ruling.KEPT)

    def _read(self, report: Report, is_known: bool) -> Use:
        """Raises _Refused. What is known already is not judged again."""
        _check_form(report)
        used_at = _time(report.used_at)
        if not is_known:
            self._judge(report, used_at)
        card = self._owner(report.card_id, report.code)
        if card is None:
            raise _Refused(Ruling.UNKNOWN_CARD, "this system has no such card: register it first")
        return Use(
            self._institution.code,
            report.record_id,
            used_at,
            card.account,
            report.scene,
            Outcome(report.outcome),
            report.department,
            report.terminal,
        )

    def _judge(self, report: Report, used_at: int) -> None:
        """Raises _Refused for a use that may not be reported now, or from there."""
        if used_at < self._earliest:
            raise _Refused(
                Ruling.TOO_LATE, f"used_at: before {self._earliest}, seconds since 1970, the oldest taken now"
            )
        if used_at > self._latest:
            raise _Refused(Ruling.TOO_EARLY, "used_at: in the future; set the clock")
        _require_enabled("institution", self._institution, used_at)
        if report.department is not None:
            department = self._department(report.department)
            if department is None:
                raise _Refused(Ruling.UNKNOWN_DEPARTMENT, "department: not registered; register it first")
            _require_enabled("department", department, used_at)
        if report.terminal is not None:
            terminal = self._terminal(report.terminal)
            if terminal is None:
                raise _Refused(Ruling.UNKNOWN_TERMINAL, "terminal: not registered; register it first")
            _require_enabled("terminal", terminal, used_at)


def _require_enabled(word: str, place: Place, used_at: int) -> None:
    if place.disabled_at is not None and used_at >= place.disabled_at:
        raise _Refused(Ruling.DISABLED, f"{word}: disabled since {place.disabled_at}, seconds since 1970")


def _again(use: Use, before: Use) -> Ruled:
    """A report whose record id is known."""
    if use == before:
        return Ruled(use.record_id, Ruling.DUPLICATE)
    return Ruled(use.record_id, Ruling.CONFLICT, _TWICE)


def _check_form(report: Report) -> None:
    problem = ""
    if not CODE.fullmatch(report.record_id):
        problem = "record_id: 1 to 64 letters, digits, dots, dashes and underscores, none of . - _ first"
    elif not _SCENE.fullmatch(report.scene):
        problem = "scene: six digits, such as 010101"
    elif report.outcome not in set(Outcome):
        problem = f"outcome: one of {', '.join(Outcome)}"
    elif (report.card_id is None) == (report.code is None):
        problem = "card_id, code: give exactly one of them"
    elif report.card_id is not None and not _CARD_ID.fullmatch(report.card_id):
        problem = "card_id: 1 to 128 hex digits"
    if problem:
        raise _Refused(Ruling.INVALID, problem)


def _time(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _Refused(Ruling.INVALID, "used_at: RFC 3339 with its zone, such as 2026-01-01T08:00:00+08:00")
    return int(found.timestamp() // 1)
