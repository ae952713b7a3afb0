"""Cards as most tests need them: registered with ids of their choosing, put into any state."""

from __future__ import annotations

from ehc.cards.account import AccountStore, Change, Derived, EventKind, NewCard, Outcome
from ehc.errors import Conflict, NotFound
from ehc.model import AccountState, Card, Identity

EVENTS = {
    AccountState.CANCELLED: EventKind.CANCELLED,
    AccountState.SUSPENDED: EventKind.SUSPENDED,
    AccountState.NORMAL: EventKind.RESUMED,
}


class Cards:
    """The cards of an account store."""

    def __init__(self, accounts: AccountStore) -> None:
        self.accounts = accounts

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
