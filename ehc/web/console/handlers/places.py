"""Institutions, their departments and terminals: what is there, when it was last seen, enabled or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from ehc.institutions.place import Change, Department, Institution, Place, Terminal
from ehc.web.clocks import ALARM_SECONDS
from ehc.web.console import forms
from ehc.web.console.page import Visit

ROWS = 50
KINDS: dict[str, type[Any]] = {"institution": Institution, "department": Department, "terminal": Terminal}
SEEN_SECONDS = 600
"""A terminal that was not seen for longer is shown as away."""


def list_institutions(visit: Visit, query: forms.InstitutionsPage) -> Response:
    rows = visit.services.register.institutions(query.region, query.after, ROWS)
    return visit.show("institutions.html", rows=rows, query=query, onward=_onward(rows))


def _onward(rows: Sequence[Place]) -> str:
    """After which code the next page begins; empty where there is none."""
    return rows[-1].code if len(rows) == ROWS else ""


def show_institution(visit: Visit, institution: str, query: forms.InstitutionPage) -> Response:
    register = visit.services.register
    found = register.find(Institution, institution)
    departments = register.within(Department, institution, query.departments_after, ROWS)
    terminals = register.within(Terminal, institution, query.terminals_after, ROWS)
    return visit.show(
        "institution.html",
        institution=found,
        departments=departments,
        terminals=terminals,
        next_departments=_onward(departments),
        next_terminals=_onward(terminals),
        history=visit.services.places.history(institution)[::-1][:ROWS],
        alarm=ALARM_SECONDS,
        away=visit.now - SEEN_SECONDS,
    )


def switch_place(visit: Visit, institution: str, form: forms.PlaceSwitch) -> Response:
    key = (institution,) if form.part == "institution" else (institution, form.code)
    enabled = form.enabled == "yes"
    visit.begin(" ".join((form.part, *key, "enable" if enabled else "disable"))[:200])
    register, change = visit.services.register, Change(enabled=enabled)
    register.change(KINDS[form.part], key, change, visit.now, visit.operator.by)
    return visit.go(f"/console/institutions/{institution}", "enabled" if enabled else "disabled")
