"""Cards and their accounts (虚拟账户)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ehc.web.wire.base import Body, CardId

State = Literal["cancelled", "normal", "pending", "rejected", "certified", "unregistered", "suspended"]


class Registration(Body, frozen=True):
    """A person's document, as written on it."""

    id_type: Annotated[str, Meta(description="证件类型: 01 … 08, 99")]
    id_number: str
    name: str


class Card(Struct, frozen=True):
    card_id: CardId
    state: State
    name: Annotated[str, Meta(description="masked")]
    id_number: Annotated[str, Meta(description="masked")]
    registered_at: datetime


class RegisteredCard(Card, frozen=True):
    created: Annotated[bool, Meta(description="false: this person had a card; a cancelled one is restored")]
