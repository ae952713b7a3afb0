"""What either hot state reads of an account store."""

from __future__ import annotations

from ehc.model import CardStatus
from ehc.ports import AccountLookup


def read_status(cards: AccountLookup, card: str | int) -> CardStatus | None:
    """Of a card id or an account."""
    found = cards.card(card) if isinstance(card, str) else cards.card_of_account(card)
    return None if found is None else found.status()


def may_be_kept(card: str | int, status: CardStatus) -> bool:
    """Not under an alias: when the account changes, nobody tells what is kept under its former card ids."""
    return card in (status.card_id, status.account) or card == status.other_id
