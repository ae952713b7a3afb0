"""The OpenAPI 3.1 document, made of the table of endpoints and the wire types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

import ehc
from ehc.web.endpoint import Endpoint
from ehc.web.render.fhir import ROOT
from ehc.web.wire import base as wire
from ehc.web.wire.fhir import FHIR_JSON, OperationOutcome

_REF = "#/components/schemas/{name}"
_KEY = {"type": "http", "scheme": "bearer", "description": "a caller's key, with the scope that the operation names"}
_PURPOSE = {
    "name": "X-Purpose",
    "in": "header",
    "required": True,
    "description": "why this person's data is looked at; recorded. Other than ASCII as %XX of its UTF-8",
    "schema": {"type": "string", "minLength": 2, "maxLength": 200},
}
_PARAMETER = re.compile(r"\{(\w+)\}")


def document(table: Iterable[Endpoint]) -> dict[str, Any]:
    """The document for a table."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ehc: electronic health card (电子健康卡)", "version": ehc.__version__},
        "paths": paths,
        "components": {"schemas": _schemas(table), "securitySchemes": {"key": _KEY}},
    }


def _schemas(table: Iterable[Endpoint]) -> dict[str, Any]:
    types: set[Any] = {wire.Problem, OperationOutcome}
    for endpoint in table:
        types |= {body for body in (endpoint.body, *endpoint.answers.values()) if isinstance(body, type)}
    ordered = sorted(types, key=lambda kind: str(kind.__name__))
    return msgspec.json.schema_components(ordered, ref_template=_REF)[1]


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "responses": {str(status): _answer(status, kind) for status, kind in endpoint.answers.items()}
        | {str(status): _problem(status, endpoint) for status in sorted(endpoint.all_problems())},
    }
    parameters = [_parameter(name) for name in _PARAMETER.findall(endpoint.path)] + _query(endpoint.query)
    if endpoint.plain:
        parameters.append(_PURPOSE)
    if endpoint.scope is not None:
        operation["security"] = [{"key": [endpoint.scope.value]}]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(endpoint.takes[0], endpoint.body)}
    if endpoint.stream:
        operation["requestBody"] = {"required": True, "content": {kind: {} for kind in endpoint.stream}}
    return operation


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(wire.PARAMETERS[name])}


def _query(kind: type[wire.Body] | None) -> list[dict[str, Any]]:
    if kind is None:
        return []
    schema = next(iter(msgspec.json.schema(kind)["$defs"].values()))
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema["properties"].items()
    ]


def _answer(status: int, kind: type[msgspec.Struct] | str) -> dict[str, Any]:
    content = {kind: {}} if isinstance(kind, str) else _content("application/json", kind)
    return {"description": HTTPStatus(status).phrase, "content": content}


def _problem(status: int, endpoint: Endpoint) -> dict[str, Any]:
    is_fhir = endpoint.path.startswith(ROOT)
    told = _content(FHIR_JSON, OperationOutcome) if is_fhir else _content("application/problem+json", wire.Problem)
    return {"description": HTTPStatus(status).phrase, "content": told}


def _content(media_type: str, kind: type) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _REF.format(name=kind.__name__)}}}
