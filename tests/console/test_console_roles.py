"""Every page × every role: shown to whom the table names, refused to all others; every changing page is a deed."""

import pytest
from desks import FORMS, Desk
from httpx import Response

from ehc.access.operator import Role
from ehc.institutions.place import Institution
from ehc.web.console.menu import MENU
from ehc.web.console.page import Page
from ehc.web.console.table import PAGES

WITH_ROLES = [page for page in PAGES if page.roles is not None]


def ask(desk: Desk, page: Page, role: Role | None) -> Response:
    browser = desk.browser() if role is None else desk.signed_in(role)
    path = page.path.format(card_id=desk.card.card_id, institution="H-1", review="1")
    return browser.get(path) if page.method == "GET" else browser.post(path, **FORMS[page.name])


@pytest.mark.parametrize("role", list(Role))
def test_every_page_is_for_the_roles_that_the_table_names(desk: Desk, role: Role) -> None:
    desk.services.register.add(Institution("H-1", "医院", "440103", "A100", 1), "")
    browser = desk.signed_in(role)
    for page in sorted(WITH_ROLES, key=lambda page: page.name == "sign_out"):
        path = page.path.format(card_id=desk.card.card_id, institution="H-1", review="1")
        answer = browser.get(path) if page.method == "GET" else browser.post(path, **FORMS[page.name])
        allowed = role in (page.roles or ())
        assert (answer.status_code == 403) is not allowed, (page.name, role, answer.status_code)
        assert answer.status_code < 500, page.name


def test_who_is_not_signed_in_is_sent_to_sign_in_from_every_page(desk: Desk) -> None:
    browser = desk.browser()
    for page in WITH_ROLES:
        path = page.path.format(card_id=desk.card.card_id, institution="H-1", review="1")
        answer = browser.get(path) if page.method == "GET" else browser.post(path, **FORMS[page.name])
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in"), page.name
    assert desk.services.looks.looks() == []
    assert desk.services.deeds.deeds() == []


def test_what_a_role_may_not_do_does_not_happen_and_is_recorded(desk: Desk) -> None:
    assert ask(desk, next(page for page in PAGES if page.name == "change_state"), Role.AUDIT).status_code == 403
    assert desk.services.accounts.card(desk.card.card_id).state.name == "NORMAL"
    newest = desk.services.deeds.deeds()[0]
    assert (newest.operator, newest.what, newest.result) == ("zhao.min", "change_state", "forbidden")


def test_an_auditor_may_change_nothing_but_the_own_password() -> None:
    changing = {page.name for page in WITH_ROLES if page.method == "POST" and Role.AUDIT in (page.roles or ())}
    factor = {"new_factor", "bind_factor", "unbind_factor"}
    assert changing == factor | {"sign_out", "change_password", "measure_password", "end_sessions"}


def test_every_changing_page_is_a_deed_except_looking() -> None:
    without = {page.name for page in WITH_ROLES if page.method == "POST" and not page.deed}
    assert without == {"search", "find_physical", "open_person", "search_index", "measure_password"}  # looks


def test_nobody_has_two_roles_tasks() -> None:
    own = {role: {p.name for p in WITH_ROLES if p.roles == frozenset({role})} for role in Role}
    assert all(own.values())
    assert {p.name for p in WITH_ROLES if p.roles not in [frozenset({role}) for role in Role]} == {
        "show_home",
        "sign_out",
        "show_password",
        "change_password",
        "measure_password",
        "show_factor",
        "new_factor",
        "bind_factor",
        "unbind_factor",
        "show_sessions",
        "end_sessions",
        "show_statistics",
    }


def test_the_menu_shows_exactly_what_the_table_allows() -> None:
    allowed = {f"/console{page.path}": page.roles for page in PAGES if page.method == "GET"}
    assert {path: roles for _, path, roles in MENU} == {path: allowed[path] for _, path, _ in MENU}


def test_every_form_of_the_table_is_tried_here() -> None:
    assert {page.name for page in WITH_ROLES if page.method == "POST"} == set(FORMS)
