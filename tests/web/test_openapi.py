from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from ehc.model import AccountState, Reason
from ehc.web import openapi, routes
from ehc.web.render.cards import STATES
from ehc.web.wire.verify import Outcome


def test_the_document_is_valid_openapi_3_1(service: Any) -> None:
    document = service.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_has_every_route_and_no_other(service: Any) -> None:
    ours = [route for route in service.app.routes if not route.path.startswith("/console")]  # pages are no interface
    served = {(route.path, method) for route in ours for method in route.methods - {"HEAD"}}
    document = openapi.document(routes.TABLE)
    listed = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert served - listed == {("/openapi.json", "GET")}
    assert listed <= served


def test_operation_ids_are_unique() -> None:
    names = [endpoint.handler.__name__ for endpoint in routes.TABLE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["Registration", "CodeRequest", "VerifyRequest"])
def test_the_document_refuses_unknown_fields_too(name: str) -> None:
    assert openapi.document(routes.TABLE)["components"]["schemas"][name]["additionalProperties"] is False


def test_every_reason_and_every_state_has_a_word_outside() -> None:
    assert {outcome.value for outcome in Outcome} == {reason.value for reason in Reason} | {"invalid"}
    assert set(STATES) == set(AccountState)


def test_wire_types_have_names_of_their_own() -> None:
    kinds = {kind for row in routes.TABLE for kind in (row.body, *row.answers.values()) if isinstance(kind, type)}
    assert len({kind.__name__ for kind in kinds}) == len(kinds)
