"""Releases of SDKs, apps and their grants (SDK授权管理): how they stand, and the next step of their lives."""

from __future__ import annotations

from starlette.responses import Response

from ehc.cards.life import reason_of
from ehc.sdkauth import app, sdk
from ehc.sdkauth.act import Act
from ehc.sdkauth.app import AppState
from ehc.sdkauth.sdk import SdkState, parse_id
from ehc.web.console import forms
from ehc.web.console.page import Visit

PAGE = "/console/apps"


def list_apps(visit: Visit, query: forms.Done) -> Response:
    known, now = visit.services.app_registry, visit.now
    rows = [(one, known.grants(one.name), sum(key.is_live(now) for key in known.keys(one.name))) for one in known.all()]
    steps = {"app": app.NEXT, "sdk": sdk.NEXT}
    return visit.show("apps.html", rows=rows, releases=visit.services.sdks.all(), steps=steps)


def change_app(visit: Visit, form: forms.OfApp) -> Response:
    visit.begin(f"{form.name} {form.to}")
    visit.services.app_registry.move(form.name, AppState(form.to), _act(visit, form.reason))
    return visit.go(PAGE, "changed")


def change_sdk(visit: Visit, form: forms.OfSdk) -> Response:
    visit.begin(f"{form.sdk} {form.to}")
    visit.services.sdks.move(parse_id(form.sdk), SdkState(form.to), _act(visit, form.reason))
    return visit.go(PAGE, "changed")


def revoke_grant(visit: Visit, form: forms.OfGrant) -> Response:
    visit.begin(f"{form.name} {form.number}")
    visit.services.app_registry.revoke_grant(form.name, form.number, _act(visit, form.reason))
    return visit.go(PAGE, "changed")


def _act(visit: Visit, reason: str) -> Act:
    return Act(visit.now, visit.operator.by, reason_of(reason))
