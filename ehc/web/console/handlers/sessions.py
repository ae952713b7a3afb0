"""One's own sessions: which there are, and ending them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from ehc.access.session import Session, timeouts
from ehc.web.console import forms
from ehc.web.console.page import Visit


def _running(visit: Visit) -> Sequence[Session]:
    limits = timeouts(visit.services.settings)
    return [one for one in visit.services.sessions.of(visit.operator.name) if not limits.is_over(one, visit.now)]


def show_sessions(visit: Visit, query: forms.Done | None = None, wrong: bool = False, status: int = 200) -> Response:
    return visit.show("sessions.html", status, rows=_running(visit), own=visit.signed_in.handle, wrong=wrong)


def end_sessions(visit: Visit, form: forms.OldSession) -> Response:
    """One, or all but this one; who ends them says the password again (ASVS 3.3.4)."""
    visit.begin()
    if visit.services.sign_in.check(visit.operator.name, form.password, form.code, visit.now) is None:
        visit.failed("unauthenticated")
        return show_sessions(visit, wrong=True, status=422)
    own = visit.signed_in.handle
    for one in _running(visit):
        if one.handle == form.session or (not form.session and one.handle != own):
            visit.services.sessions.end(one.digest)
    return visit.go("/console/sessions", "ended")
