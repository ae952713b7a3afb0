"""schemathesis against our own OpenAPI document: whatever it makes of it, no 5xx, no answer that is not documented."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from services import settings_of

from ehc.web import routes
from ehc.web.app import create_app
from ehc.web.endpoint import Endpoint
from ehc.wiring.services import open_services

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NOW = 1_767_225_600

FORBIDS = [row for row in routes.TABLE if row.body or row.query or row.stream or row.plain or "{" in row.path]
"""Endpoints of which the document forbids some requests."""

same_requests_every_time = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    services = open_services(settings_of(tmp_path_factory.mktemp("fuzz")), clock=lambda: NOW)
    app = create_app(services)

    async def begun(scope: Any, receive: Any, send: Any) -> None:
        """schemathesis begins and ends what it is given with each request; a service that has ended refuses."""
        if scope["type"] != "lifespan":
            return await app(scope, receive, send)
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    yield schemathesis.openapi.from_asgi("/openapi.json", begun)
    services.close()


@schemathesis.serializer("application/x-ndjson")
def _one_line(_context: object, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def ask(api: Any, row: Endpoint, mode: schemathesis.GenerationMode) -> None:
    @given(case=api[row.path][row.method].as_strategy(generation_mode=mode))
    @same_requests_every_time
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    check()


@pytest.mark.parametrize("row", routes.TABLE, ids=lambda row: row.operation)
def test_what_the_document_allows_has_an_answer_that_it_names(api: Any, row: Endpoint) -> None:
    ask(api, row, schemathesis.GenerationMode.POSITIVE)


@pytest.mark.parametrize("row", FORBIDS, ids=lambda row: row.operation)
def test_what_the_document_forbids_has_an_answer_that_it_names(api: Any, row: Endpoint) -> None:
    ask(api, row, schemathesis.GenerationMode.NEGATIVE)
