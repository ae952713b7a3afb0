"""Signing in and out, one's own password, the language."""

from __future__ import annotations

import os

from starlette.responses import RedirectResponse, Response

from ehc.access.operator import NAME
from ehc.access.password import SALT_BYTES, UNKNOWN_CHARACTERS, strength
from ehc.access.second_factor import NONCE_BYTES
from ehc.access.session import digest_of, timeouts
from ehc.errors import InputError
from ehc.web.console import cookies, forms
from ehc.web.console.door import sentence
from ehc.web.console.page import HOME, SIGN_IN, Visit


def show_sign_in(visit: Visit, query: forms.Typing) -> Response:
    if visit.session is not None:
        return visit.go(HOME)
    return _sign_in_page(visit, shown=query.shown)


def _sign_in_page(visit: Visit, status: int = 200, failed: bool = False, shown: str = "") -> Response:
    fresh = "" if visit.cookie else cookies.new_id()
    visit.cookie = visit.cookie or fresh
    nobody = not visit.services.operators.all()
    answer = visit.show("sign_in.html", status, failed=failed, nobody=nobody, shown=shown)
    if fresh:
        cookies.give(answer, cookies.FORM, fresh, visit.secure)
    return answer


def sign_in(visit: Visit, form: forms.SignIn) -> Response:
    """Whatever is wrong, the same answer."""
    name = form.name.strip().lower()
    known = visit.services.operators.find(name) is not None if NAME.fullmatch(name) else False
    visit.begin(by=name if known else "-")  # what is typed for a name may be a password
    operator = visit.services.sign_in.check(name, form.password, form.code, visit.now)
    if operator is None:
        visit.failed("unauthenticated")
        return _sign_in_page(visit, 401, failed=True)
    if visit.session is not None:
        visit.services.sessions.end(visit.session.digest)
    return begin(visit, operator.name, HOME)


def begin(visit: Visit, name: str, path: str, done: str = "") -> Response:
    """A session under an id that nobody has seen before."""
    new, now = cookies.new_id(), visit.now
    whole = timeouts(visit.services.settings).whole
    visit.services.sessions.begin(digest_of(new), name, now, now - whole)
    answer = visit.go(path, done)
    cookies.give(answer, cookies.SESSION, new, visit.secure)
    cookies.take_back(answer, cookies.FORM, visit.secure)
    return answer


def sign_out(visit: Visit) -> Response:
    visit.begin()
    visit.services.sessions.end(visit.signed_in.digest)
    answer = RedirectResponse(SIGN_IN, 303)
    cookies.take_back(answer, cookies.SESSION, visit.secure)
    return answer


def show_password(
    visit: Visit, query: forms.Typing | None = None, wrong: str = "", status: int = 200, strength: int | None = None
) -> Response:
    shown = query.shown if query else ""
    known = {"needed": UNKNOWN_CHARACTERS, "good": 2 * UNKNOWN_CHARACTERS}
    return visit.show("password.html", status, wrong=wrong, shown=shown, strength=strength, **known)


def measure_password(visit: Visit, form: forms.NewPassword) -> Response:
    """Nothing is changed, and what was typed is not sent back (ASVS 2.1.8)."""
    return show_password(visit, strength=strength(form.new, visit.operator.name))


def change_password(visit: Visit, form: forms.NewPassword) -> Response:
    visit.begin()
    name, sign_in = visit.operator.name, visit.services.sign_in
    try:
        if form.new != form.again:
            raise InputError("password: the two are not the same")
        random = {"salt": os.urandom(SALT_BYTES), "nonce": os.urandom(NONCE_BYTES)}
        if not sign_in.change_password(name, form.old, form.new, visit.now, **random):
            raise InputError("password: the present one is not right, or was tried too often")
    except InputError as error:
        visit.failed("input")
        return show_password(visit, wrong=sentence(error, visit.language), status=422)
    return begin(visit, name, HOME, "password")


def set_language(visit: Visit, form: forms.Language) -> Response:
    answer = visit.go(form.back if _is_ours(form.back) else HOME)
    cookies.give(answer, cookies.LANGUAGE, form.language, visit.secure, cookies.YEAR)
    return answer


def _is_ours(path: str) -> bool:
    """A path of the console, and nothing that a browser takes for another site."""
    return path.startswith("/console/") and path.isprintable() and not set(path) & set('\\"<>') and "//" not in path
