"""FHIR R4: the part of Patient, Bundle and Parameters that the master index speaks. Names are FHIR's own.

What a Patient has beside this is no error and is not kept: other systems send whole ones.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ehc.web.wire.base import Body

FHIR_JSON = "application/fhir+json"
Text = Annotated[str, Meta(max_length=256)]
Token = Annotated[str, Meta(max_length=400, description="system|value")]
MOST = 50


class Period(Struct, omit_defaults=True):
    start: str | None = None
    end: str | None = None


class Identifier(Struct, omit_defaults=True):
    system: Text = ""
    value: Text = ""
    use: str | None = None
    period: Period | None = None


class HumanName(Struct, omit_defaults=True):
    text: Text = ""
    family: Text = ""
    given: Annotated[list[Text], Meta(max_length=10)] = []
    use: str | None = None


class ContactPoint(Struct, omit_defaults=True):
    system: str | None = None
    value: Text = ""


class Address(Struct, omit_defaults=True):
    text: Text = ""


class Reference(Struct, omit_defaults=True):
    reference: str


class PatientLink(Struct, omit_defaults=True):
    other: Reference
    type: str


class Patient(Struct, omit_defaults=True):
    """A person of the index, or one who is looked for."""

    resourceType: Literal["Patient"]
    id: str | None = None
    identifier: Annotated[list[Identifier], Meta(max_length=50)] = []
    active: bool | None = None
    name: Annotated[list[HumanName], Meta(max_length=20)] = []
    telecom: Annotated[list[ContactPoint], Meta(max_length=20)] = []
    gender: Literal["male", "female", "other", "unknown"] | None = None
    birthDate: Annotated[str, Meta(max_length=10)] | None = None
    address: Annotated[list[Address], Meta(max_length=20)] = []
    multipleBirthInteger: int | None = None
    link: list[PatientLink] = []


class Extension(Struct, omit_defaults=True):
    url: str
    valueCode: str | None = None
    valueDecimal: float | None = None
    valueString: str | None = None
    extension: list[Extension] = []


class Search(Struct, omit_defaults=True):
    mode: str
    score: float | None = None
    extension: list[Extension] = []


class Entry(Struct, omit_defaults=True):
    fullUrl: str
    resource: Patient
    search: Search


class Bundle(Struct, omit_defaults=True, tag_field="resourceType", tag="Bundle"):
    type: str
    total: int
    entry: list[Entry] = []


class Parameter(Struct, omit_defaults=True):
    name: Text
    resource: Patient | None = None
    valueInteger: int | None = None
    valueBoolean: bool | None = None
    valueIdentifier: Identifier | None = None
    valueReference: Reference | None = None


class Parameters(Struct, omit_defaults=True):
    """Of $match: resource, onlyCertainMatches, count. Of $ihe-pix: what it answers."""

    resourceType: Literal["Parameters"]
    parameter: Annotated[list[Parameter], Meta(max_length=200)] = []


class Coding(Struct):
    system: str
    code: str


class Said(Struct):
    """CodeableConcept of OperationOutcome.issue.details; coding: a problem's type, as elsewhere (RFC 9457)."""

    coding: list[Coding]
    text: str


class Issue(Struct, omit_defaults=True):
    """code: of http://hl7.org/fhir/issue-type; diagnostics: what was wrong, and what to do."""

    severity: Literal["fatal", "error"]
    code: str
    details: Said
    diagnostics: str | None = None


class OperationOutcome(Struct, tag_field="resourceType", tag="OperationOutcome"):
    """What FHIR's paths answer in place of a problem document."""

    issue: list[Issue]


class PatientSearch(Body, frozen=True):
    identifier: Token = ""
    name: Text = ""
    birthdate: Annotated[str, Meta(max_length=12)] = ""
    phone: Annotated[str, Meta(max_length=32)] = ""
    address: Text = ""
    gender: Literal["", "male", "female", "other", "unknown"] = ""
    count: Annotated[int, Meta(ge=1, le=MOST)] = field(default=20, name="_count")


class PixQuery(Body, frozen=True):
    """PIXm (IHE ITI-83)."""

    sourceIdentifier: Token
    targetSystem: Annotated[str, Meta(max_length=1000, description="URIs, commas between; else all")] = ""
