"""The table of pages: which there are, and who may see them."""

from __future__ import annotations

from ehc.web.console import forms
from ehc.web.console.handlers import (
    apps,
    audit,
    callers,
    health,
    home,
    index,
    operators,
    people,
    physical_cards,
    places,
    rekeying,
    second_factor,
    sessions,
    signing,
    statistics,
)
from ehc.web.console.menu import ALL, AUDIT, SECURITY, SYSTEM
from ehc.web.console.page import Page

_PERSON = "/people/{card_id}"
_REVIEW = "/reviews/{review}"

PAGES = (
    # --- everybody
    Page(method="GET", path="/sign-in", handler=signing.show_sign_in, roles=None, query=forms.Typing),
    Page(method="POST", path="/sign-in", handler=signing.sign_in, roles=None, form=forms.SignIn, slow=True),
    Page(method="POST", path="/language", handler=signing.set_language, roles=None, form=forms.Language),
    # --- every operator
    Page(method="GET", path="/", handler=home.show_home, roles=ALL, query=forms.Done),
    Page(method="POST", path="/sign-out", handler=signing.sign_out, roles=ALL, deed=True, unfinished=True),
    Page(method="GET", path="/password", handler=signing.show_password, roles=ALL, query=forms.Typing, unfinished=True),
    Page(
        method="POST",
        path="/password/strength",
        handler=signing.measure_password,
        roles=ALL,
        form=forms.NewPassword,
        unfinished=True,
    ),
    Page(
        method="POST",
        path="/password",
        handler=signing.change_password,
        roles=ALL,
        form=forms.NewPassword,
        deed=True,
        unfinished=True,
        slow=True,
    ),
    Page(method="GET", path="/second-factor", handler=second_factor.show_factor, roles=ALL, unbound=True),
    Page(
        method="POST", path="/second-factor/new", handler=second_factor.new_factor, roles=ALL, deed=True, unbound=True
    ),
    Page(
        method="POST",
        path="/second-factor/bind",
        handler=second_factor.bind_factor,
        roles=ALL,
        form=forms.NewFactor,
        deed=True,
        unbound=True,
    ),
    Page(
        method="POST",
        path="/second-factor/unbind",
        handler=second_factor.unbind_factor,
        roles=ALL,
        form=forms.OldFactor,
        deed=True,
        slow=True,
    ),
    Page(method="GET", path="/sessions", handler=sessions.show_sessions, roles=ALL, query=forms.Done),
    Page(
        method="POST",
        path="/sessions",
        handler=sessions.end_sessions,
        roles=ALL,
        form=forms.OldSession,
        deed=True,
        slow=True,
    ),
    Page(method="GET", path="/statistics", handler=statistics.show_statistics, roles=ALL, query=forms.Period),
    # --- 安全管理员
    Page(method="GET", path="/people", handler=people.show_search, roles=SECURITY),
    Page(method="POST", path="/people", handler=people.search, roles=SECURITY, form=forms.Search),
    Page(method="GET", path=_PERSON, handler=people.show_person, roles=SECURITY, query=forms.Done),
    Page(method="POST", path=f"{_PERSON}/open", handler=people.open_person, roles=SECURITY, form=forms.Purpose),
    Page(
        method="POST",
        path=f"{_PERSON}/state",
        handler=people.change_state,
        roles=SECURITY,
        form=forms.StateChange,
        deed=True,
    ),
    Page(
        method="POST", path=f"{_PERSON}/code", handler=people.issue_code, roles=SECURITY, form=forms.CodeKind, deed=True
    ),
    Page(
        method="POST",
        path=f"{_PERSON}/revoke",
        handler=people.revoke_code,
        roles=SECURITY,
        form=forms.Shown,
        deed=True,
    ),
    Page(method="GET", path="/physical-cards", handler=physical_cards.show_physical_search, roles=SECURITY),
    Page(
        method="POST",
        path="/physical-cards",
        handler=physical_cards.find_physical,
        roles=SECURITY,
        form=forms.PhysicalSearch,
    ),
    Page(method="GET", path="/index", handler=index.show_index, roles=SECURITY),
    Page(method="POST", path="/index", handler=index.search_index, roles=SECURITY, form=forms.IndexSearch),
    Page(method="GET", path="/reviews", handler=index.list_reviews, roles=SECURITY, query=forms.ReviewsPage),
    Page(method="GET", path=_REVIEW, handler=index.show_review, roles=SECURITY, query=forms.Done),
    Page(method="POST", path=_REVIEW, handler=index.decide_review, roles=SECURITY, form=forms.ReviewAct, deed=True),
    # --- 系统管理员
    Page(
        method="GET",
        path="/institutions",
        handler=places.list_institutions,
        roles=SYSTEM,
        query=forms.InstitutionsPage,
    ),
    Page(
        method="GET",
        path="/institutions/{institution}",
        handler=places.show_institution,
        roles=SYSTEM,
        query=forms.InstitutionPage,
    ),
    Page(
        method="POST",
        path="/institutions/{institution}",
        handler=places.switch_place,
        roles=SYSTEM,
        form=forms.PlaceSwitch,
        deed=True,
    ),
    Page(method="GET", path="/callers", handler=callers.list_callers, roles=SYSTEM, query=forms.Done),
    Page(method="POST", path="/callers", handler=callers.add_caller, roles=SYSTEM, form=forms.NewCaller, deed=True),
    Page(
        method="POST",
        path="/callers/change",
        handler=callers.change_caller,
        roles=SYSTEM,
        form=forms.OfCaller,
        deed=True,
    ),
    Page(method="GET", path="/apps", handler=apps.list_apps, roles=SYSTEM, query=forms.Done),
    Page(method="POST", path="/apps", handler=apps.change_app, roles=SYSTEM, form=forms.OfApp, deed=True),
    Page(method="POST", path="/apps/sdk", handler=apps.change_sdk, roles=SYSTEM, form=forms.OfSdk, deed=True),
    Page(method="POST", path="/apps/grant", handler=apps.revoke_grant, roles=SYSTEM, form=forms.OfGrant, deed=True),
    Page(method="GET", path="/operators", handler=operators.list_operators, roles=SYSTEM, query=forms.Done),
    Page(
        method="POST",
        path="/operators",
        handler=operators.add_operator,
        roles=SYSTEM,
        form=forms.NewOperator,
        deed=True,
        slow=True,
    ),
    Page(
        method="POST",
        path="/operators/change",
        handler=operators.change_operator,
        roles=SYSTEM,
        form=forms.OfOperator,
        deed=True,
        slow=True,
    ),
    Page(method="GET", path="/health", handler=health.show_health, roles=SYSTEM),
    Page(method="GET", path="/rekeying", handler=rekeying.show_rekeying, roles=SYSTEM),
    # --- 审计员
    Page(method="GET", path="/looks", handler=audit.list_looks, roles=AUDIT, query=forms.LooksPage),
    Page(method="GET", path="/deeds", handler=audit.list_deeds, roles=AUDIT, query=forms.DeedsPage),
)
