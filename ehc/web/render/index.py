"""Domains, events and tasks of the master index: numbers, never what a record says."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ehc.index.domain import Domain
from ehc.index.history import Event
from ehc.index.lines import Line
from ehc.index.master import Placed
from ehc.index.review import Review
from ehc.web.render.base import time
from ehc.web.wire import index as wire


def domain(of: Domain) -> wire.IdentityDomain:
    return wire.IdentityDomain(of.code, of.name, of.authority, of.system, of.strong, of.single)


def domains(of: Iterable[Domain]) -> wire.IdentityDomains:
    return wire.IdentityDomains([domain(one) for one in sorted(of, key=lambda one: one.code)])


def line(of: wire.SourceRecord) -> Line:
    return Line(**msgspec.structs.asdict(of) | {"identifiers": of.identifiers or {}})


def placed(of: Placed) -> wire.PlacedRecord:
    return wire.PlacedRecord(of.record, of.person, of.outcome, of.reason, list(of.reviews))


def events(of: Iterable[Event]) -> wire.IndexEvents:
    return wire.IndexEvents([event(one) for one in of])


def event(of: Event) -> wire.IndexEvent:
    numbers = (of.record or None, of.person or None, of.other or None)
    return wire.IndexEvent(of.number, time(of.at), of.kind.name.lower(), *numbers, of.by)


def review(of: Review) -> wire.ReviewTask:
    votes = [wire.ReviewVote(one.by, one.answer, time(one.at)) for one in of.votes]
    subject = (of.person, of.other or None, of.record or None)
    opened = (of.number, of.matter, time(of.opened_at))
    return wire.ReviewTask(*opened, *subject, of.reason, of.score, of.claimed_by or None, of.answer, votes)


def reviews(of: Iterable[Review]) -> wire.ReviewTasks:
    return wire.ReviewTasks([review(one) for one in of])
