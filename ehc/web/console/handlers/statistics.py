"""Statistics of uses of cards, as charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.responses import Response

from ehc.errors import InputError
from ehc.institutions.late import DAY, day_of
from ehc.institutions.place import Institution
from ehc.institutions.statistics import Count, Dimension, Question
from ehc.institutions.use import Outcome
from ehc.model import CST
from ehc.web.console import forms
from ehc.web.console.catalogue import TEXTS
from ehc.web.console.chart import Column, bars, columns
from ehc.web.console.drawing import translator
from ehc.web.console.page import Visit

OUTCOMES = tuple(Outcome)
DAYS = 7
MOST_DAYS = 92
ROWS = 12
"""Longest bars of one chart."""


def show_statistics(visit: Visit, query: forms.Period) -> Response:
    since, until = _period(query, visit.now)
    where = (query.region or None, query.institution or None, query.scene or None)
    text = translator(visit.language)

    def count(*by: Dimension) -> Sequence[Count]:
        return visit.services.statistics.count(Question(since, until, by, *where))

    days = by_day(count(Dimension.DAY, Dimension.OUTCOME), Question(since, until))
    outcomes = {str(outcome): sum(one.parts[i] for one in days) for i, outcome in enumerate(OUTCOMES)}
    region = _region_dimension(query.region)
    institutions = count(Dimension.INSTITUTION)
    charts = {
        "region": _bars(count(region), lambda code: _region(code, text), text),
        "institution": _bars(institutions, lambda code: code, text, _names(visit, institutions)),
        "scene": _bars(count(Dimension.SCENE), lambda code: _scene(code, text), text),
    }
    return visit.show(
        "statistics.html",
        query=query,
        since=since,
        last=until - DAY,
        outcomes=outcomes,
        reporting=len(institutions),
        days=columns(days),
        hours=columns(_by_hour(count(Dimension.HOUR)), 12),
        charts=charts,
        scenes=[key.removeprefix("scene.") for key in TEXTS if key.startswith("scene.")],
    )


def _period(query: forms.Period, now: int) -> tuple[int, int]:
    """First second, and the one after the last. Raises InputError."""
    until = day_of(now) + DAY if query.until is None else _day(query.until) + DAY
    since = until - DAYS * DAY if query.since is None else _day(query.since)
    if not DAY <= until - since <= MOST_DAYS * DAY:
        raise InputError(f"period: 1 to {MOST_DAYS} days")
    return since, until


def _day(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=CST).timestamp())
    except ValueError:
        raise InputError(f"period: 1 to {MOST_DAYS} days") from None


def by_day(counts: Sequence[Count], period: Question) -> list[Column]:
    """A column a day, also where nothing was."""
    found = {(count.values[0], str(count.values[1])): count.uses for count in counts}
    result = []
    for at in range(period.since, period.until, DAY):
        when = datetime.fromtimestamp(at, CST)
        parts = tuple(found.get((at, str(outcome)), 0) for outcome in OUTCOMES)
        result.append(Column(f"{when:%m-%d}", parts, f"{when:%Y-%m-%d}: {sum(parts):,}"))
    return result


def _by_hour(counts: Sequence[Count]) -> list[Column]:
    """All days together, by the hour of the day in China."""
    found: Counter[int] = Counter()
    for count in counts:
        found[datetime.fromtimestamp(int(count.values[0]), CST).hour] += count.uses
    return [
        Column(f"{hour:02}", (found[hour],), f"{hour:02}:00–{hour + 1:02}:00: {found[hour]:,}") for hour in range(24)
    ]


def _region_dimension(region: str) -> Dimension:
    """One step below what was asked for."""
    if len(region) < 2:
        return Dimension.PROVINCE
    return Dimension.CITY if len(region) < 4 else Dimension.REGION


def _bars(
    counts: Sequence[Count], name: Callable[[str], str], text: Callable[..., str], names: dict[str, str] | None = None
) -> object:
    rows = [(str(count.values[0]), count.uses) for count in counts]
    named = [((names or {}).get(code) or name(code), uses) for code, uses in rows]
    return bars(named, ROWS, text("statistics.others"))


def _names(visit: Visit, counts: Sequence[Count]) -> dict[str, str]:
    """Of those that will be shown."""
    longest = sorted(counts, key=lambda count: -count.uses)[:ROWS]
    find = visit.services.register.find
    return {str(one.values[0]): find(Institution, str(one.values[0])).name for one in longest}


def _region(code: str, text: Callable[..., str]) -> str:
    key = f"region.{code[:2]}"
    name = text(key) if key in TEXTS else code
    return name if len(code) == 2 else f"{name} {code}"


def _scene(code: str, text: Callable[..., str]) -> str:
    key = f"scene.{code}"
    return text(key) if key in TEXTS else code
