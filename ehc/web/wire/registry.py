"""Physical cards (实体居民健康卡): shown, changed, exchanged with other registries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ehc.registry.card import CardEventKind, Ruling
from ehc.registry.checking import MOST_VERSION
from ehc.registry.synchronising import PAGE
from ehc.web.wire.base import Body, CardId
from ehc.web.wire.cards import IdType

CardNumber = Annotated[str, Meta(max_length=64, description="卡号: letters and digits")]
Cursor = Annotated[str, Meta(max_length=32, pattern="^[0-9A-Za-z]*$")]
PhysicalState = Annotated[
    Literal["normal", "lost", "cancelled", "being_made", "not_issued"],
    Meta(description="卡状态: 正常, 挂失, 注销, 制卡中, 未发放"),
]
RegistryCode = Annotated[str, Meta(max_length=64, pattern="^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Version = Annotated[int, Meta(ge=0, le=MOST_VERSION)]

DIGEST_CARDS = 16_384


class PhysicalCardQuery(Body, frozen=True):
    number: CardNumber
    local: Annotated[bool, Meta(description="ask no other registry")] = False


class PhysicalCard(Struct, frozen=True):
    """A physical card; card_kind tells it from an electronic one. Its holder is masked."""

    card_kind: Annotated[Literal["physical"], Meta(description="卡类型 1 实体")]
    number: str
    state: PhysicalState
    issuer: str
    id_type: IdType
    name: Annotated[str, Meta(description="masked")]
    id_number: Annotated[str, Meta(description="masked")]
    version: int
    source: Annotated[str, Meta(description="the registry that made this version")]
    changed_at: datetime
    card_id: Annotated[CardId | None, Meta(description="the holder's electronic card, where there is one here")]
    registry: Annotated[str, Meta(description="the registry that answers")]
    national: Annotated[bool, Meta(description="ours has no such card: the registry of national_registry was asked")]


class PhysicalCards(Struct, frozen=True):
    physical_cards: list[PhysicalCard]


class NewPhysicalCard(Body, frozen=True):
    number: CardNumber
    issuer: RegistryCode
    id_type: IdType
    id_number: str
    name: str
    state: PhysicalState
    chip: Annotated[str, Meta(max_length=64, description="芯片号")] = ""


class EnteredPhysicalCard(PhysicalCard, frozen=True):
    created: Annotated[bool, Meta(description="false: it was there")]
    hint: Annotated[str | None, Meta(description="why there is no electronic card where there should be one")]


class PhysicalCardChange(Body, frozen=True):
    number: CardNumber
    state: PhysicalState
    reason: Annotated[str, Meta(description="kept for ever; without personal data")]


class PhysicalCardEvent(Struct, frozen=True):
    at: datetime
    kind: CardEventKind
    state_before: PhysicalState | None
    state_after: PhysicalState
    version: Annotated[int | None, Meta(description="null: of the first of several it is not known any more")]
    source: str | None
    by: str
    note: str


class PhysicalCardHistory(Struct, frozen=True):
    """Oldest first."""

    events: list[PhysicalCardEvent]


class CardRecord(Struct, frozen=True):
    """A physical card in full, as registries exchange it."""

    number: str
    chip: str
    issuer: str
    id_type: str
    id_number: str
    name: str
    state: str
    version: int
    source: str


class PushedRecord(Body, frozen=True):
    """As CardRecord. Nothing but types is checked before its ruling: a bad row spoils no other."""

    number: str
    chip: str
    issuer: str
    id_type: str
    id_number: str
    name: str
    state: str
    version: Version
    source: str


class FeedQuery(Body, frozen=True):
    after: Annotated[Cursor, Meta(description="`next` of the page before; nothing: from the beginning")] = ""
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE


class RegistryFeed(Struct, frozen=True):
    """Cards in the order of their latest changes, each once."""

    registry: str
    cards: list[CardRecord]
    next: str
    more: bool


class PushedCards(Body, frozen=True):
    registry: Annotated[RegistryCode, Meta(description="who sends")]
    cards: Annotated[list[PushedRecord], Meta(min_length=1, max_length=PAGE)]


class RefusedRecord(Struct, frozen=True):
    row: Annotated[int, Meta(description="from 0")]
    field: str
    reason: str


class PushedRulings(Struct, frozen=True):
    """Card for card. new, newer: it is kept; same: it was; older: ours stands; refused: see there."""

    registry: str
    rulings: list[Ruling]
    refused: list[RefusedRecord]


class DigestQuery(Body, frozen=True):
    after: Annotated[str, Meta(max_length=32, description="a card number; nothing: from the beginning")] = ""
    limit: Annotated[int, Meta(ge=1, le=DIGEST_CARDS)] = DIGEST_CARDS


class CardsDigest(Struct, frozen=True):
    """The SM3 digest over the canonical rows of the first `limit` cards behind `after`, in the order of their bytes.
    A row: number, chip, issuer, id_type, id_number, name, state, version, source; tabs between, a line feed behind."""

    registry: str
    cards: int
    last: str
    digest: Annotated[str, Meta(description="64 hex digits")]


class RangeQuery(Body, frozen=True):
    after: Annotated[str, Meta(max_length=32)] = ""
    until: Annotated[str, Meta(max_length=32, description="nothing: to the end")] = ""
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE


class CardRange(Struct, frozen=True):
    """Cards with numbers behind `after` and not behind `until`."""

    registry: str
    cards: list[CardRecord]
