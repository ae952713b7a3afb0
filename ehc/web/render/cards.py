"""Cards: masked, without mindex and account number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ehc.cards.account import Event
from ehc.model import AccountState, Card, CardKind, Origin, PersonKind
from ehc.web.render.base import time, time_or_none
from ehc.web.wire import accounts as accounts_wire
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
KINDS: dict[CardKind, wire.Kind] = {CardKind.TEMPORARY: "temporary", CardKind.FORMAL: "formal"}
PERSONS: dict[PersonKind, wire.Person] = {PersonKind.ORDINARY: "ordinary", PersonKind.CHILD: "child"}
ORIGINS: dict[Origin, wire.Origin] = {Origin.REGISTRATION: "registration", Origin.PHYSICAL_CARD: "physical_card"}


def card(of: Card, merged_into: Card | None = None) -> wire.Card:
    person = of.identity
    return wire.Card(
        of.card_id,
        STATES[of.state],
        person.masked_name(),
        person.masked_number(),
        time(of.registered_at),
        KINDS[of.kind],
        PERSONS[of.person],
        time_or_none(of.deadline),
        of.birth_order,
        merged_into.card_id if merged_into else None,
        ORIGINS[of.origin],
    )


def registered_card(of: Card, created: bool) -> wire.RegisteredCard:
    return wire.RegisteredCard(**msgspec.structs.asdict(card(of)), created=created)


def cards(of: Iterable[Card]) -> wire.CardList:
    return wire.CardList([card(one) for one in of])


def plain_card(of: Card, details: Mapping[str, str]) -> wire.PlainCard:
    person = of.identity
    return wire.PlainCard(
        of.card_id,
        STATES[of.state],
        person.id_type,
        person.id_number,
        person.name,
        time(of.registered_at),
        KINDS[of.kind],
        PERSONS[of.person],
        time_or_none(of.deadline),
        ORIGINS[of.origin],
        wire.Details(**details),
    )


def given(details: wire.Details | None) -> dict[str, str]:
    """Those that are said."""
    said = {} if details is None else msgspec.structs.asdict(details)
    return {name: value for name, value in said.items() if value is not None}


def family(of: Iterable[tuple[Card, str]]) -> accounts_wire.Family:
    return accounts_wire.Family([accounts_wire.FamilyMember(card(one), relation) for one, relation in of])


def history(of: Iterable[Event]) -> accounts_wire.History:
    return accounts_wire.History([_event(one) for one in of])


def _event(of: Event) -> accounts_wire.AccountEvent:
    before = None if of.state_before is None else STATES[of.state_before]
    return accounts_wire.AccountEvent(time(of.at), of.kind, before, STATES[of.state_after], of.by, of.note)
