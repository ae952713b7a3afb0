"""Persons of the index as FHIR R4, what FHIR says of one who is looked for as a record, and what the service can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import ehc
from ehc.errors import InputError
from ehc.index.deciding import Verdict
from ehc.index.domain import INTERNAL, Domains
from ehc.index.matching import Match
from ehc.index.person import Person
from ehc.index.record import Identifier, Record, new_record
from ehc.index.weights import Score
from ehc.web.render.base import time
from ehc.web.reply import Reply
from ehc.web.wire import fhir as wire
from ehc.web.wire.base import Problem

ROOT = "/fhir/"
VERSION = "4.0.1"

GENDERS = {"1": "male", "2": "female"}
_SEXES = {"male": "1", "female": "2"}
GRADES: Mapping[Verdict, str] = {Verdict.MERGE: "certain", Verdict.REVIEW: "possible", Verdict.APART: "certainly-not"}
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_PART = "urn:ehc:fhir:match-part"
LOOKED_FOR = "-"
"""The local id of a record that stands nowhere."""


def resource(of: msgspec.Struct) -> Reply:
    return Reply(msgspec.json.encode(of), 200, wire.FHIR_JSON)


_ISSUES = {
    "unauthenticated": "login",
    "forbidden": "forbidden",
    "too-many": "throttled",
    "not-found": "not-found",
    "conflict": "conflict",
    "unavailable": "transient",
    "key-unavailable": "transient",
    "timeout": "timeout",
    "malformed": "structure",
    "too-large": "too-long",
    "media-type": "not-supported",
    "no-such-path": "not-supported",
    "method": "not-supported",
}
"""Last part of a problem's type -> http://hl7.org/fhir/issue-type; what is not here is invalid, or a fault of ours."""


def outcome(of: Problem) -> Reply:
    """A problem as an OperationOutcome, under its status."""
    fault = of.status >= 500
    system, _, problem = of.type.rpartition(":")
    code = _ISSUES.get(problem, "exception" if fault else "invalid")
    said = wire.Said([wire.Coding(system, problem)], of.title)
    issue = wire.Issue("fatal" if fault else "error", code, said, of.detail)
    return resource(wire.OperationOutcome([issue]))._replace(status=of.status)


_SEARCHED = {
    "identifier": "token",
    "name": "string",
    "birthdate": "date",
    "phone": "token",
    "address": "string",
    "gender": "token",
}
_OPERATIONS = {
    "match": "http://hl7.org/fhir/OperationDefinition/Patient-match",
    "ihe-pix": "https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix",
}
_READ_BY = "a caller's key with the scope index:read, and X-Purpose: why people are looked at"


def capabilities() -> Reply:
    """The CapabilityStatement (能力声明): what this service speaks of FHIR, and nothing else."""
    patient: dict[str, Any] = {
        "type": "Patient",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": name, "type": kind} for name, kind in _SEARCHED.items()],
        "operation": [{"name": name, "definition": defined} for name, defined in _OPERATIONS.items()],
    }
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-29",
        "kind": "instance",
        "software": {"name": "ehc", "version": ehc.__version__},
        "implementation": {"description": "the cross-domain master index (跨域主索引)"},
        "fhirVersion": VERSION,
        "format": [wire.FHIR_JSON],
        "rest": [{"mode": "server", "security": {"description": _READ_BY}, "resource": [patient]}],
    }
    return Reply(msgspec.json.encode(statement), 200, wire.FHIR_JSON)


def patient(of: Person, domains: Domains) -> wire.Patient:
    sex, name = of.value("sex"), of.value("name")
    order = of.value("birth_order")
    return wire.Patient(
        "Patient",
        id=str(of.key),
        identifier=[identifier(one, domains) for one in of.identifiers if is_shown(one)],
        active=True,
        name=[wire.HumanName(text=name, use="official")] if name else [],
        telecom=[wire.ContactPoint("phone", of.value("phone"))] if of.value("phone") else [],
        gender=GENDERS.get(sex, "unknown"),  # type: ignore[arg-type]
        birthDate=of.value("birth_date") or None,
        address=[wire.Address(of.value("address"))] if of.value("address") else [],
        multipleBirthInteger=int(order) if order else None,
        link=[wire.PatientLink(wire.Reference(f"Patient/{key}"), "replaces") for key in of.merged],
    )


def identifier(of: Identifier, domains: Domains) -> wire.Identifier:
    known = wire.Identifier(domains.get(of.domain).system, of.value)
    if of.until is not None:
        known.use, known.period = "old", wire.Period(end=time(of.until).isoformat())
    return known


def is_shown(of: Identifier) -> bool:
    """An unsound number is nobody's; the mindex never leaves the system, nor an account's number."""
    return of.sound and of.domain not in INTERNAL


def found(persons: Sequence[Person], domains: Domains) -> wire.Bundle:
    return _bundle([_entry(one, domains, wire.Search("match")) for one in persons])


def matched(persons: Sequence[tuple[Match, Person]], domains: Domains) -> wire.Bundle:
    """The likeliest first, each with its probability, its grade, and every field's bits."""
    return _bundle([_entry(person, domains, _search(match)) for match, person in persons])


def _bundle(entries: list[wire.Entry]) -> wire.Bundle:
    return wire.Bundle("searchset", len(entries), entries)


def _entry(of: Person, domains: Domains, search: wire.Search) -> wire.Entry:
    return wire.Entry(f"urn:ehc:index:person:{of.key}", patient(of, domains), search)


def _search(match: Match) -> wire.Search:
    score = match.decision.score
    grade = wire.Extension(_GRADE, valueCode=GRADES[match.verdict])
    return wire.Search("match", round(score.probability, 6), [grade, *_parts(score)])


def _parts(score: Score) -> list[wire.Extension]:
    return [
        wire.Extension(
            _PART,
            extension=[
                wire.Extension("field", valueString=one.field),
                wire.Extension("level", valueString=one.level),
                wire.Extension("bits", valueDecimal=round(one.bits, 2)),
            ],
        )
        for one in score.parts
    ]


def crossed(identifiers: Sequence[Identifier], key: int | None, domains: Domains) -> wire.Parameters:
    """The answer of PIXm: targetId, then targetIdentifier for each."""
    parameters = [] if key is None else [wire.Parameter("targetId", valueReference=wire.Reference(f"Patient/{key}"))]
    parameters += [wire.Parameter("targetIdentifier", valueIdentifier=identifier(one, domains)) for one in identifiers]
    return wire.Parameters("Parameters", parameters)


def record_of(of: wire.Patient, domains: Domains, source: str) -> Record:
    """What is said of one who is looked for. Raises InputError, NotFound for a system that no domain has."""
    numbers = [(domains.of_system(one.system).code, one.value) for one in of.identifier if one.system and one.value]
    fields = {
        "name": _name(of),
        "sex": _SEXES.get(of.gender or "", ""),
        "birth_date": of.birthDate or "",
        "phone": next((one.value for one in of.telecom if one.system in (None, "phone", "sms")), ""),
        "address": next((one.text for one in of.address if one.text), ""),
        "birth_order": str(of.multipleBirthInteger) if of.multipleBirthInteger is not None else "",
    }
    return new_record(domains, source, LOOKED_FOR, fields, numbers)


def _name(of: wire.Patient) -> str:
    for one in of.name:
        parts = [one.family, *one.given]
        text = one.text or (" ".join(parts) if "".join(parts).isascii() else "".join(parts))
        if text.strip():
            return text
    return ""


def token(text: str, domains: Domains) -> tuple[str, str]:
    """(domain, number) of system|value. Raises InputError, NotFound."""
    system, bar, value = text.partition("|")
    if not bar or not system or not value:
        raise InputError("identifier: write system|value")
    return domains.of_system(system).code, value
