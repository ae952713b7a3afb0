"""Callers: the apps and institutions that use the API, and their keys."""

from __future__ import annotations

import os

from starlette.responses import Response

from ehc.access.caller import KEY_BYTES, Scope, digest_of, key_of, new_caller
from ehc.web.console import forms
from ehc.web.console.page import Visit

OVERLAP = 86_400
"""Seconds for which a replaced key goes on being accepted."""


def list_callers(visit: Visit, query: forms.Done) -> Response:
    return visit.show("callers.html", rows=visit.services.callers.all(visit.now), scopes=list(Scope))


def add_caller(visit: Visit, form: forms.NewCaller) -> Response:
    visit.begin(form.name)
    new = new_caller(form.name, form.scopes.split(), form.institution or None, form.rate)
    key = key_of(os.urandom(KEY_BYTES))
    visit.services.callers.add(new, digest_of(key), visit.now)
    return visit.show("secret.html", kind="key", name=form.name, secret=key, onward="/console/callers")


def change_caller(visit: Visit, form: forms.OfCaller) -> Response:
    visit.begin(f"{form.act} {form.name}")
    callers = visit.services.callers
    if form.act == "revoke":
        callers.revoke(form.name, visit.now)
        return visit.go("/console/callers", "revoked")
    key = key_of(os.urandom(KEY_BYTES))
    callers.rotate(form.name, digest_of(key), visit.now, visit.now + OVERLAP)
    return visit.show("secret.html", kind="rotated", name=form.name, secret=key, onward="/console/callers")
