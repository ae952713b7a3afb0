"""SqlCardStore: an account as ports.CardStore has it, over SqlAccountStore."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from ehc.cards.account import Change, Derived, EventKind, NewCard, Outcome
from ehc.errors import Conflict, NotFound
from ehc.model import AccountState, Card, Identity
from ehc.store.sql_accounts import SqlAccountStore

EVENTS = {
    AccountState.CANCELLED: EventKind.CANCELLED,
    AccountState.SUSPENDED: EventKind.SUSPENDED,
    AccountState.NORMAL: EventKind.RESUMED,
}


class SqlCardStore:
    """Cards as whoever issues and checks codes sees them (ports.CardStore)."""

    def __init__(self, engine: Engine, changing: Callable[[Card], None] = lambda _: None) -> None:
        """changing: told of a card before and after it changes (ports.HotState)."""
        self.accounts = SqlAccountStore(engine, changing)

    def register(
        self, identity: Identity, mindex: bytes, card_id: str, key_version: int, now: int
    ) -> tuple[Card, bool]:
        found = self.accounts.register(NewCard(Derived(identity, mindex, card_id, key_version)), now)
        if found.card is None:
            raise Conflict("this document has a card under another name: rename it first")
        return found.card, found.outcome is Outcome.CREATED

    def card(self, card_id: str) -> Card | None:
        return self.accounts.card(card_id)

    def card_of_account(self, account: int) -> Card | None:
        return self.accounts.card_of_account(account)

    def card_of_mindex(self, mindex: bytes) -> Card | None:
        return self.accounts.card_of_mindex(mindex)

    def set_state(self, card_id: str, state: AccountState, now: int) -> Card:
        card = self.accounts.card(card_id)
        if card is None:
            raise NotFound("no card has this card id")
        if card.state is state:
            return card
        change = Change(EVENTS.get(state, EventKind.MODIFIED), frozenset(AccountState), state=state)
        return self.accounts.apply(card.account, change, now)

    def ready(self) -> None:
        self.accounts.ready()
