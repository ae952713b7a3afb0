"""FHIR R4 over the master index: Patient read and search, $match, $ihe-pix (PIXm). Each shows plain data: a purpose is
stated, and every person that is shown is a look. What the service can do is told to everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from ehc.errors import InputError, NotFound
from ehc.index.domain import MINDEX
from ehc.index.index import Index
from ehc.index.person import Person
from ehc.index.record import Record, new_record
from ehc.web.endpoint import Call
from ehc.web.handlers.index import number_of
from ehc.web.render import fhir as render
from ehc.web.reply import Reply
from ehc.web.wire import fhir as wire

T = TypeVar("T")
SOURCE = MINDEX
"""The domain of a record that is looked for: it has no number there, and is never kept."""


async def _ask(call: Call, work: Callable[[Index], T]) -> T:
    index = call.services.index
    return await run_in_threadpool(lambda: work(index))


async def _look(call: Call, persons: Sequence[Person]) -> None:
    for one in persons:
        await call.look(None, f"person {one.key}")
    if not persons:
        await call.look(None)


async def show_capabilities(_call: Call) -> Reply:
    return render.capabilities()


async def read_patient(call: Call, patient: str) -> Reply:
    key = number_of(patient)
    found = await _ask(call, lambda index: index.finder.person(key))
    await _look(call, [found])
    return render.resource(render.patient(found, call.services.index.book.now().domains))


async def search_patients(call: Call, query: wire.PatientSearch) -> Reply:
    def work(index: Index) -> Sequence[Person]:
        domains = index.book.now().domains
        if query.identifier:
            try:
                number = render.token(query.identifier, domains)
            except NotFound:  # a search under a system that no domain has finds nobody
                return []
            return [one for one in index.finder.by_identifier(*number) if _fits(one, query)]
        return index.finder.by_fields(_asked(index, query))

    found = (await _ask(call, work))[: query.count]
    await _look(call, found)
    return render.resource(render.found(found, call.services.index.book.now().domains))


def _fits(person: Person, query: wire.PatientSearch) -> bool:
    asked = {"birth_date": query.birthdate.removeprefix("eq"), "phone": query.phone}
    return all(value in ("", person.value(name)) for name, value in asked.items())


def _asked(index: Index, query: wire.PatientSearch) -> Record:
    sex = {"male": "1", "female": "2"}.get(query.gender, "")
    birth = query.birthdate.removeprefix("eq")
    fields = {"name": query.name, "birth_date": birth, "phone": query.phone, "address": query.address, "sex": sex}
    return new_record(index.book.now().domains, SOURCE, render.LOOKED_FOR, fields)


async def match_patient(call: Call, body: wire.Parameters) -> Reply:
    given = {one.name: one for one in body.parameter}
    looked_for = given["resource"].resource if "resource" in given else None
    if looked_for is None:
        raise InputError("parameter resource: the Patient who is looked for")
    count = given["count"].valueInteger if "count" in given else None
    certain = "onlyCertainMatches" in given and given["onlyCertainMatches"].valueBoolean

    def work(index: Index) -> wire.Bundle:
        domains = index.book.now().domains
        found = index.finder.match(render.record_of(looked_for, domains, SOURCE), max(1, min(count or 10, wire.MOST)))
        kept = [one for one in found if not certain or render.GRADES[one[0].verdict] == "certain"]
        return render.matched(kept, domains)

    bundle = await _ask(call, work)
    for entry in bundle.entry:
        await call.look(None, f"person {entry.resource.id}")
    await call.look(None)
    return render.resource(bundle)


async def cross_reference(call: Call, query: wire.PixQuery) -> Reply:
    def work(index: Index) -> wire.Parameters:
        domains = index.book.now().domains
        domain, value = render.token(query.sourceIdentifier, domains)
        wanted = [domains.of_system(one).code for one in query.targetSystem.split(",") if one]
        found = index.finder.across(domain, value, wanted)
        persons = index.finder.by_identifier(domain, value)
        key = persons[0].key if len(persons) == 1 and not wanted else None
        others = [one for one in found if (one.domain, one.value) != (domain, value) and render.is_shown(one)]
        return render.crossed(others, key, domains)

    answer = await _ask(call, work)
    await call.look(None)
    return render.resource(answer)
