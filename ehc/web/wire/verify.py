"""Verification (验码)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from ehc.model import Profile
from ehc.web.wire.base import Body, CardId, Place, Scene


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
    REVOKED = "revoked"
    SCENE = "scene"
    PLACE = "place"
    REPLAYED = "replayed"


class VerifyRequest(Body, frozen=True):
    """A scanned code and where it was shown."""

    payload: Annotated[str, Meta(description="the text of the QR code, as scanned")]
    scene: Scene
    institution: Place | None = None
    terminal: Place | None = None


class VerifyAnswer(Struct, frozen=True):
    """name (masked), card_id, profile and expires_at are null unless accepted; visit also where a code serves often."""

    accepted: bool
    reason: Outcome
    step: Annotated[int | None, Meta(description="1 to 8, the step that refused; 0 accepted; null when invalid")]
    detail: str | None
    scene: Scene
    name: str | None
    card_id: CardId | None
    expires_at: datetime | None
    profile: Annotated[Profile | None, Meta(description="what kind of code it was: how sure the answer is")] = None
    visit: Annotated[str | None, Meta(description="of a code that serves once: this place may check it again")] = None
