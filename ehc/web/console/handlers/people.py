"""People: found, looked at with a stated purpose, their cards' state and codes. Names and numbers are masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from anyio import from_thread
from markupsafe import Markup
from starlette.responses import Response

from ehc.access.looks import purpose_of
from ehc.cards.account import EventKind
from ehc.cards.accounts import Accounts, Act
from ehc.cards.life import LIFE
from ehc.codes import draw
from ehc.errors import InputError, NotFound
from ehc.model import Card, IdType
from ehc.web.console import forms
from ehc.web.console.door import sentence
from ehc.web.console.page import Visit

CHANGES: Mapping[str, tuple[EventKind, Callable[[Accounts, Card, Act], Card]]] = {
    "suspend": (EventKind.SUSPENDED, Accounts.suspend),
    "resume": (EventKind.RESUMED, Accounts.resume),
    "cancel": (EventKind.CANCELLED, Accounts.cancel),
    "restore": (EventKind.RESTORED, Accounts.restore),
    "revoke_codes": (EventKind.CODES_REVOKED, Accounts.revoke_codes),
}


def show_search(visit: Visit) -> Response:
    return _search_page(visit, forms.Search("document"))


def _search_page(
    visit: Visit, form: forms.Search, found: Sequence[Card] | None = None, wrong: str = "", status: int = 200
) -> Response:
    return visit.show("search.html", status, form=form, found=found, wrong=wrong, id_types=list(IdType))


def search(visit: Visit, form: forms.Search) -> Response:
    """What is searched for stands in the form alone, not in an address that browsers and proxies keep."""
    try:
        purpose = purpose_of(form.purpose.replace("%", "%25"))
        found = _find(visit.services.accounts, form)
    except InputError as error:
        return _search_page(visit, form, wrong=sentence(error, visit.language) or form.by, status=422)
    for card in found:
        visit.look(card.account, purpose)
    if not found:
        visit.look(None, purpose)
    return _search_page(visit, form, found)


def _find(accounts: Accounts, form: forms.Search) -> Sequence[Card]:
    try:
        if form.by == "phone":
            return accounts.cards_of_phone(form.value)
        if form.by == "card_id":
            return [accounts.card(form.value.strip())]
        return [accounts.card_of_document(form.id_type, form.value)]
    except NotFound:
        return []


def open_person(visit: Visit, card_id: str, form: forms.Purpose) -> Response:
    """From now on this session looks at this person, for this purpose."""
    card = visit.services.accounts.card(card_id)
    try:
        purpose = purpose_of(form.purpose.replace("%", "%25"))
    except InputError as error:
        return _ask_purpose(visit, card_id, sentence(error, visit.language), 422)
    visit.services.sessions.look_at(visit.signed_in.digest, card.account, purpose)
    return visit.go(f"/console/people/{card.card_id}")


def _ask_purpose(visit: Visit, card_id: str, wrong: str = "", status: int = 200) -> Response:
    return visit.show("purpose.html", status, card_id=card_id, wrong=wrong)


def _is_looked_at(visit: Visit, card: Card) -> bool:
    return visit.signed_in.account == card.account


def show_person(visit: Visit, card_id: str, query: forms.Done) -> Response:
    accounts = visit.services.accounts
    card = accounts.card(card_id)
    if not _is_looked_at(visit, card):
        return _ask_purpose(visit, card.card_id)
    visit.look(card.account, visit.signed_in.purpose)
    merged = accounts.merged_into(card)
    return visit.show(
        "person.html",
        card=card,
        merged=merged,
        history=accounts.history(card)[::-1],
        changes=_changes(card),
        purpose=visit.signed_in.purpose,
        usable=card.status().usable(visit.now),
    )


def _changes(card: Card) -> list[str]:
    """What the card's state allows; a merged one is unmerged by whoever merged it."""
    allowed = [name for name, (event, _) in CHANGES.items() if card.state in LIFE[event]]
    return [name for name in allowed if not (name == "restore" and card.merged_into is not None)]


def change_state(visit: Visit, card_id: str, form: forms.StateChange) -> Response:
    accounts = visit.services.accounts
    card = accounts.card(card_id)
    visit.begin(form.change, card.account)
    if not _is_looked_at(visit, card):
        return _ask_purpose(visit, card.card_id, status=409)
    _, change = CHANGES[form.change]
    change(accounts, card, Act(visit.now, visit.operator.by, form.reason))
    return visit.go(f"/console/people/{card.card_id}", form.change)


def issue_code(visit: Visit, card_id: str, form: forms.CodeKind) -> Response:
    card = visit.services.accounts.card(card_id)
    visit.begin(form.kind, card.account)
    if not _is_looked_at(visit, card):
        return _ask_purpose(visit, card.card_id, status=409)
    visit.look(card.account, visit.signed_in.purpose)
    issuer = visit.services.issuer
    make = issuer.static if form.kind == "static" else issuer.dynamic
    code = from_thread.run(make, card.card_id, visit.now)  # on the loop: the hot state may be Redis
    drawn = draw.symbol(code.payload).svg_inline(scale=8, border=draw.QUIET_ZONE, omitsize=True)
    return visit.show("code.html", card=card, code=code, kind=form.kind, symbol=Markup(drawn))  # noqa: S704  our own


def revoke_code(visit: Visit, card_id: str, form: forms.Shown) -> Response:
    """The one code that is shown, whoever holds a copy of it."""
    card = visit.services.accounts.card(card_id)
    visit.begin("", card.account)
    if not _is_looked_at(visit, card):
        return _ask_purpose(visit, card.card_id, status=409)
    from_thread.run(visit.services.revoker.revoke, form.payload, visit.now)
    return visit.go(f"/console/people/{card.card_id}", "revoke_code")
