"""Cards: registered and found (虚拟账户)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ehc.web.wire.base import Body, CardId, Scene

State = Literal["cancelled", "normal", "pending", "rejected", "certified", "unregistered", "suspended"]
Kind = Literal["temporary", "formal"]
Person = Literal["ordinary", "child"]
Origin = Annotated[
    Literal["registration", "physical_card"],
    Meta(description="physical_card: an electronic card that was made for the holder of a physical one (实体卡)"),
]
IdType = Annotated[str, Meta(description="证件类型: 01 … 08, 99")]


class Details(Body, frozen=True, omit_defaults=True):
    """What may be known of a person beside the document. Where it is changed, an empty text deletes."""

    phone: str | None = None
    sex: Annotated[str | None, Meta(description="GB/T 2261.1: 0, 1, 2, 9")] = None
    birth_date: Annotated[str | None, Meta(description="YYYY-MM-DD")] = None
    ethnicity: Annotated[str | None, Meta(description="GB 3304: 01 … 56, 97, 98")] = None
    address: str | None = None
    occupation: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None


class Document(Body, frozen=True):
    """A document, as written."""

    id_type: IdType
    id_number: str


class Registration(Body, frozen=True):
    """A person's document, as written on it."""

    id_type: IdType
    id_number: str
    name: str
    details: Details | None = None


class TemporaryRegistration(Body, frozen=True):
    """Somebody without a document."""

    name: str = "无名氏"
    days: Annotated[int | None, Meta(description="until the card ends; none: as many as the service allows")] = None
    details: Details | None = None


class ChildRegistration(Body, frozen=True):
    """A newborn, or a child without a document."""

    guardian: Document
    name: str
    birth_date: date
    birth_order: Annotated[int, Meta(ge=1, le=9, description="twins differ by it")] = 1
    details: Details | None = None


class CardQuery(Body, frozen=True):
    """By one of the first four."""

    card_id: CardId | None = None
    document: Document | None = None
    mindex: Annotated[str, Meta(max_length=64, description="主索引ID, hex")] | None = None
    code: Annotated[str, Meta(max_length=4096, description="the text of a QR code, as scanned")] | None = None
    scene: Annotated[Scene | None, Meta(description="of a code: where it was shown")] = None


class Card(Struct, frozen=True):
    card_id: CardId
    state: State
    name: Annotated[str, Meta(description="masked")]
    id_number: Annotated[str, Meta(description="masked")]
    registered_at: datetime
    kind: Kind
    person: Person
    deadline: Annotated[datetime | None, Meta(description="a temporary card's last second")]
    birth_order: Annotated[int | None, Meta(description="of a child")]
    merged_into: Annotated[CardId | None, Meta(description="the card that took this one over")]
    origin: Origin


class RegisteredCard(Card, frozen=True):
    created: Annotated[bool, Meta(description="false: this person had a card; a cancelled one is restored")]


class PlainCard(Struct, frozen=True):
    """A person's data in full: who looked, and why, is recorded."""

    card_id: CardId
    state: State
    id_type: IdType
    id_number: str
    name: str
    registered_at: datetime
    kind: Kind
    person: Person
    deadline: datetime | None
    origin: Origin
    details: Details


class CardList(Struct, frozen=True):
    cards: list[Card]
