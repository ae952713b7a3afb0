"""Cards: masked, without mindex and account number."""

from __future__ import annotations

from ehc.model import AccountState, Card
from ehc.web.render.base import time
from ehc.web.wire import cards as wire

STATES: dict[AccountState, wire.State] = {
    AccountState.CANCELLED: "cancelled",
    AccountState.NORMAL: "normal",
    AccountState.PENDING: "pending",
    AccountState.REJECTED: "rejected",
    AccountState.CERTIFIED: "certified",
    AccountState.UNREGISTERED: "unregistered",
    AccountState.SUSPENDED: "suspended",
}


def card(of: Card) -> wire.Card:
    person = of.identity
    return wire.Card(of.card_id, STATES[of.state], person.masked_name(), person.masked_number(), time(of.registered_at))


def registered_card(of: Card, created: bool) -> wire.RegisteredCard:
    shown = card(of)
    return wire.RegisteredCard(shown.card_id, shown.state, shown.name, shown.id_number, shown.registered_at, created)
