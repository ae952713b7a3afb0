"""Operators: who works here, in which role."""

from __future__ import annotations

import os

from starlette.responses import Response

from ehc.access.operator import Role, new_operator
from ehc.access.password import ONE_TIME_BYTES, SALT_BYTES, hash_of, one_time_password
from ehc.access.sign_in import give_password
from ehc.errors import Conflict
from ehc.web.console import forms
from ehc.web.console.page import Visit


def list_operators(visit: Visit, query: forms.Done) -> Response:
    return visit.show("operators.html", rows=visit.services.operators.all(), roles=list(Role))


def add_operator(visit: Visit, form: forms.NewOperator) -> Response:
    visit.begin(form.name)
    new, one_time = new_operator(form.name, form.role, visit.now), one_time_password(os.urandom(ONE_TIME_BYTES))
    visit.services.operators.add(new, hash_of(one_time, os.urandom(SALT_BYTES)))
    return _shown_once(visit, form.name, one_time)


def change_operator(visit: Visit, form: forms.OfOperator) -> Response:
    """Not oneself: for that there is the password page, and somebody else."""
    visit.begin(f"{form.act} {form.name}")
    if form.name == visit.operator.name:
        raise Conflict("nobody does this to themselves")
    if form.act == "password":
        one_time = one_time_password(os.urandom(ONE_TIME_BYTES))
        give_password(visit.services.operators, form.name, one_time, os.urandom(SALT_BYTES), visit.now)
        return _shown_once(visit, form.name, one_time)
    if form.act == "unbind":
        visit.services.operators.unbind(form.name)
        return visit.go("/console/operators", "unbound")
    visit.services.operators.set_enabled(form.name, form.act == "enable", visit.now)
    return visit.go("/console/operators", f"{form.act}d")


def _shown_once(visit: Visit, name: str, one_time: str) -> Response:
    return visit.show("secret.html", kind="password", name=name, secret=one_time, onward="/console/operators")
