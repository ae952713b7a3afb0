"""FHIR R4 endpoints of the master index. What is wrong is told by an OperationOutcome."""

from __future__ import annotations

from ehc.access.caller import Scope
from ehc.web.endpoint import BODY, Endpoint
from ehc.web.handlers import fhir as handlers
from ehc.web.reply import JSON
from ehc.web.wire import fhir as wire
from ehc.web.wire.fhir import FHIR_JSON

_PATIENT = "/fhir/Patient"

TABLE = (
    Endpoint(
        method="GET",
        path="/fhir/metadata",
        handler=handlers.show_capabilities,
        scope=None,
        summary="The CapabilityStatement: what this service speaks of FHIR",
        answers={200: FHIR_JSON},
    ),
    Endpoint(
        method="GET",
        path=f"{_PATIENT}/$ihe-pix",
        handler=handlers.cross_reference,
        scope=Scope.INDEX_READ,
        summary="PIXm: a person's numbers in other domains",
        answers={200: FHIR_JSON},
        query=wire.PixQuery,
        problems=(404, 422, 500, 503),
    ),
    Endpoint(
        method="POST",
        path=f"{_PATIENT}/$match",
        handler=handlers.match_patient,
        scope=Scope.INDEX_READ,
        summary="Whom a Patient may be, the likeliest first, with every field's weight",
        answers={200: FHIR_JSON},
        body=wire.Parameters,
        takes=(FHIR_JSON, JSON),
        problems=(*BODY, 404),
    ),
    Endpoint(
        method="GET",
        path=_PATIENT,
        handler=handlers.search_patients,
        scope=Scope.INDEX_READ,
        summary="Patients by identifier (system|value), or by name, birth date, phone, address together",
        answers={200: FHIR_JSON},
        query=wire.PatientSearch,
        problems=(404, 422, 500, 503),
    ),
    Endpoint(
        method="GET",
        path=f"{_PATIENT}/{{patient}}",
        handler=handlers.read_patient,
        scope=Scope.INDEX_READ,
        summary="A person; a merged one's key finds whom it was merged into",
        answers={200: FHIR_JSON},
        problems=(404, 422, 500, 503),
    ),
)
