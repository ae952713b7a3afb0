"""Places, rulings and counts. A use that is stored is never shown with its person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ehc.institutions import place
from ehc.institutions.statistics import Count, Dimension
from ehc.institutions.use import KEPT, Report, Ruled, Ruling
from ehc.web.render.base import time, time_or_none
from ehc.web.wire import institutions as wire
from ehc.web.wire.base import Body


def institution(of: place.Institution) -> wire.Institution:
    times = (time(of.registered_at), time_or_none(of.disabled_at))
    return wire.Institution(of.code, of.name, of.region, of.kind, *times)


def department(of: place.Department) -> wire.Department:
    times = (time(of.registered_at), time_or_none(of.disabled_at))
    return wire.Department(of.institution, of.code, of.name, *times)


def terminal(of: place.Terminal) -> wire.Terminal:
    times = (time(of.registered_at), time_or_none(of.disabled_at), time_or_none(of.last_seen))
    return wire.Terminal(of.institution, of.code, of.channel, of.department, *times, of.clock_drift)


def next_page(found: Sequence[place.Place], limit: int) -> str | None:
    return found[-1].code if len(found) == limit else None


def change(of: Body) -> place.Change:
    """What was there in the body."""
    given = {name: value for name in of.__struct_fields__ if (value := getattr(of, name)) is not msgspec.UNSET}
    enabled = given.pop("enabled", None)
    return place.Change(given, enabled)


def report(of: wire.UseReport) -> Report:
    return Report(*(getattr(of, name) for name in Report._fields))


def rulings(of: Sequence[Ruled]) -> wire.UseRulings:
    kept = sum(one.ruling is Ruling.KEPT for one in of)
    refused = sum(one.ruling not in KEPT for one in of)
    return wire.UseRulings([wire.UseRuling(*one) for one in of], kept, refused)


def statistics(by: Sequence[Dimension], counts: Sequence[Count]) -> wire.UseStatistics:
    return wire.UseStatistics([_count(dict(zip(by, one.values, strict=True)), one.uses) for one in counts])


def _count(values: Mapping[Dimension, str | int], count: int) -> wire.UseCount:
    shown = {str(name): time(value) if isinstance(value, int) else value for name, value in values.items()}
    return msgspec.structs.replace(wire.UseCount(count), **shown)
