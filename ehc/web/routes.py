"""The table of endpoints, a part a system, hot ones first. Routes and the OpenAPI document are both made of it."""

from __future__ import annotations

from ehc.web import (
    accounts_routes,
    cards_routes,
    codes_routes,
    fhir_routes,
    index_routes,
    institutions_routes,
    keys_routes,
    registry_routes,
    sdk_routes,
    service_routes,
    verify_routes,
)
from ehc.web.endpoint import Endpoint
from ehc.web.profiles.do import routes as do_routes

TABLE: tuple[Endpoint, ...] = (
    *verify_routes.TABLE,
    *codes_routes.TABLE,
    *cards_routes.TABLE,
    *accounts_routes.TABLE,
    *institutions_routes.TABLE,
    *registry_routes.TABLE,
    *index_routes.TABLE,
    *fhir_routes.TABLE,
    *sdk_routes.TABLE,
    *keys_routes.TABLE,
    *service_routes.TABLE,
    *do_routes.TABLE,
)
