"""Physical cards (实体卡): found by number, with a stated purpose; what happened to them. The holder is masked."""

from __future__ import annotations

from starlette.responses import Response

from ehc.access.looks import purpose_of
from ehc.errors import InputError, NotFound
from ehc.web.console import forms
from ehc.web.console.door import sentence
from ehc.web.console.page import Visit


def show_physical_search(visit: Visit) -> Response:
    return _page(visit, forms.PhysicalSearch())


def _page(visit: Visit, form: forms.PhysicalSearch, status: int = 200, **found: object) -> Response:
    return visit.show("physical_card.html", status, form=form, **{"asked": False, "kept": None, "wrong": ""} | found)


def find_physical(visit: Visit, form: forms.PhysicalSearch) -> Response:
    """The number stands in the form alone, not in an address that browsers and proxies keep."""
    registry, accounts = visit.services.registry, visit.services.account_store
    try:
        purpose = purpose_of(form.purpose.replace("%", "%25"))
        kept = registry.card(form.number)
    except InputError as error:
        return _page(visit, form, 422, wrong=sentence(error, visit.language) or "wrong")
    except NotFound:
        visit.look(None, purpose)
        return _page(visit, form, asked=True)
    visit.look(kept.account, purpose)
    electronic = accounts.card_of_account(kept.account) if kept.account else None
    history = registry.history(kept.card.number)[::-1]
    return _page(visit, form, asked=True, kept=kept, card=kept.card, electronic=electronic, history=history)
