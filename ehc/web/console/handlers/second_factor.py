"""One's own second factor: bind a phone, remove it."""

from __future__ import annotations

import os

import segno
from markupsafe import Markup
from starlette.responses import Response

from ehc.access.second_factor import NONCE_BYTES, SECRET_BYTES
from ehc.codes import draw
from ehc.web.console import forms
from ehc.web.console.handlers.signing import begin
from ehc.web.console.page import HOME, Visit


def show_factor(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    required = visit.services.settings.console_second_factor == "required"
    return visit.show("second_factor.html", status, required=required, wrong=wrong)


def new_factor(visit: Visit) -> Response:
    """Shown, kept nowhere: the form that binds it brings it back, sealed."""
    visit.begin()
    name = visit.operator.name
    factor, sealed = visit.services.sign_in.new_factor(name, os.urandom(SECRET_BYTES), os.urandom(NONCE_BYTES))
    drawn = segno.make_qr(factor.address(name), error="M").svg_inline(scale=6, border=draw.QUIET_ZONE, omitsize=True)
    symbol = Markup(drawn)  # noqa: S704  our own
    return visit.show("new_factor.html", symbol=symbol, typed=factor.typed(), sealed=sealed.hex())


def bind_factor(visit: Visit, form: forms.NewFactor) -> Response:
    """All their sessions end; this browser gets a new one."""
    visit.begin()
    name = visit.operator.name
    if not visit.services.sign_in.bind(name, bytes.fromhex(form.sealed), form.code, visit.now):
        visit.failed("input")
        return show_factor(visit, "new", 422)
    return begin(visit, name, HOME, "bound")


def unbind_factor(visit: Visit, form: forms.OldFactor) -> Response:
    visit.begin()
    if not visit.services.sign_in.unbind(visit.operator, form.code, visit.now):
        visit.failed("input")
        return show_factor(visit, "old", 422)
    return begin(visit, visit.operator.name, HOME, "unbound")
