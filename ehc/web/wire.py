"""The JSON of the service. Decoding is strict: another type, a missing or an unknown field is refused."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

CardId = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{1,128}$", max_length=128, description="电子健康卡ID, hex")]
Scene = Annotated[
    str, Meta(pattern="^[0-9]{6}$", max_length=6, description="诊疗环节, such as 010101 挂号, 010105 收费")
]
Place = Annotated[str, Meta(pattern="^[0-9A-Za-z._-]{1,64}$", max_length=64)]
State = Literal["cancelled", "normal", "pending", "rejected", "certified", "unregistered"]
Kind = Literal["static", "dynamic"]


class Outcome(enum.StrEnum):
    """model.Reason, and `invalid`, which stands for all that an outsider must not tell apart."""

    ACCEPTED = "accepted"
    INVALID = "invalid"
    LENGTH = "length"
    CHARACTER = "character"
    FOREIGN = "foreign"
    GRAMMAR = "grammar"
    KEY_VERSION = "key_version"
    NO_TOKEN = "no_token"  # noqa: S105
    FORGED = "forged"
    NOT_ISSUED = "not_issued"
    EXPIRED = "expired"
    EARLY = "early"
    UNKNOWN_CARD = "unknown_card"
    CARD_STATE = "card_state"
    SCENE = "scene"
    REPLAYED = "replayed"


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes in."""


class Registration(Body, frozen=True):
    """A person's document, as written on it."""

    id_type: Annotated[str, Meta(description="证件类型: 01 … 08, 99")]
    id_number: str
    name: str


class CodeRequest(Body, frozen=True):
    card_id: CardId
    kind: Kind


class VerifyRequest(Body, frozen=True):
    """A scanned code and where it was shown."""

    payload: Annotated[str, Meta(description="the text of the QR code, as scanned")]
    scene: Scene
    institution: Place | None = None
    terminal: Place | None = None


class Card(Struct, frozen=True):
    card_id: CardId
    state: State
    name: Annotated[str, Meta(description="masked")]
    id_number: Annotated[str, Meta(description="masked")]
    registered_at: datetime


class RegisteredCard(Card, frozen=True):
    created: Annotated[bool, Meta(description="false: this person had a card; a cancelled one is restored")]


class Code(Struct, frozen=True):
    """Times are null for a static code."""

    payload: str
    kind: Kind
    expires_at: datetime | None
    refresh_at: datetime | None


class VerifyAnswer(Struct, frozen=True):
    """name (masked), card_id and expires_at are null unless accepted."""

    accepted: bool
    reason: Outcome
    step: Annotated[int | None, Meta(description="1 to 8, the step that refused; 0 accepted; null when invalid")]
    detail: str | None
    scene: Scene
    name: str | None
    card_id: CardId | None
    expires_at: datetime | None


class Time(Struct, frozen=True):
    """The clock that codes are checked against."""

    now: datetime
    epoch: Annotated[int, Meta(description="seconds since 1970-01-01T00:00:00Z")]


class Status(Struct, frozen=True):
    status: Literal["ok", "ready"]


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457."""

    type: Annotated[str, Meta(description="urn:ehc:problem:…")]
    title: str
    status: int
    instance: Annotated[str, Meta(description="urn:ehc:request:… with the X-Request-Id of this answer")]
    detail: str | None = None
    field: Annotated[str | None, Meta(description="the member of the body that is refused")] = None
    offset: Annotated[int | None, Meta(description="byte of the body at which it stops being JSON")] = None
