"""What the auditor reads: who looked at whom, and who did what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.responses import Response

from ehc.access.looks import Look
from ehc.access.operator import Deed
from ehc.cards.accounts import Accounts
from ehc.errors import NotFound
from ehc.web.console import forms
from ehc.web.console.page import Visit

ROWS = 50


def list_looks(visit: Visit, query: forms.LooksPage) -> Response:
    accounts, account = visit.services.accounts, None
    if query.card_id:
        account = accounts.card(query.card_id).account
    rows = visit.services.looks.looks(account, ROWS, query.before)
    cards = _card_ids(accounts, (row.account for row in rows))
    return visit.show("looks.html", rows=rows, cards=cards, query=query, before=_before(rows))


def list_deeds(visit: Visit, query: forms.DeedsPage) -> Response:
    rows = visit.services.deeds.deeds(query.operator, query.before, ROWS)
    cards = _card_ids(visit.services.accounts, (row.account for row in rows))
    return visit.show("deeds.html", rows=rows, cards=cards, query=query, before=_before(rows))


def _before(rows: Sequence[Look] | Sequence[Deed]) -> int | None:
    """The number from which the next page goes on."""
    return rows[-1].number if len(rows) == ROWS else None


def _card_ids(accounts: Accounts, numbers: Iterable[int | None]) -> dict[int, str]:
    """Account numbers are internal: an auditor sees card ids, of nobody the name."""
    found: dict[int, str] = {}
    for account in {number for number in numbers if number is not None}:
        try:
            found[account] = accounts.card_of_account(account).card_id
        except NotFound:
            continue
    return found
