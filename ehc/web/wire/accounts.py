"""What happens to accounts, what happened to them, and families."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ehc.cards.account import EventKind
from ehc.web.wire.base import Body, CardId
from ehc.web.wire.cards import Card, IdType, State

Reason = Annotated[str, Meta(max_length=1000, description="why, in 2 to 200 characters without anybody's number; kept")]
Relation = Literal["1", "2", "3", "4", "5", "6", "7", "8"]


class StateChange(Body, frozen=True):
    reason: Reason


class NameChange(Body, frozen=True):
    name: str
    reason: Reason


class DocumentChange(Body, frozen=True):
    """The document that the person has now, as written on it."""

    id_type: IdType
    id_number: str
    name: str
    reason: Reason


class Merger(Body, frozen=True):
    into: Annotated[CardId, Meta(description="the formal card of the same person")]
    reason: Reason


class Membership(Body, frozen=True):
    relation: Annotated[Relation, Meta(description="GB/T 4761, of the member to the card's holder")]


class FamilyMember(Struct, frozen=True):
    card: Card
    relation: str


class Family(Struct, frozen=True):
    members: list[FamilyMember]


class AccountEvent(Struct, frozen=True):
    at: datetime
    event: EventKind
    state_before: Annotated[State | None, Meta(description="null: it was registered")]
    state_after: State
    by: Annotated[str, Meta(description="caller or operator; empty where nobody was asked")]
    note: Annotated[str, Meta(description="the reason; of `modified`, what was")]


class History(Struct, frozen=True):
    """Oldest first."""

    events: list[AccountEvent]
