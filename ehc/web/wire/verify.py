"""Verification (验码)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

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


class _Scanned(VerifyRequest, frozen=True):
    """One whose scene and place are still to be checked."""

    scene: str
    institution: str | None = None
    terminal: str | None = None


MOST_PLACES = 65_536


class VerifyDecoder:
    """A JSON decoder of VerifyRequest that looks at the patterns of each scene and place once."""

    def __init__(self, kind: type[VerifyRequest]) -> None:
        self._strict, self._scanned = msgspec.json.Decoder(kind).decode, msgspec.json.Decoder(_Scanned).decode
        self._right: set[tuple[str, str | None, str | None]] = set()

    def decode(self, body: bytes, /) -> VerifyRequest:
        """Raises what msgspec.json.Decoder does."""
        found = self._scanned(body)
        place = (found.scene, found.institution, found.terminal)
        if place not in self._right:
            self._strict(body)
            if len(self._right) < MOST_PLACES:
                self._right.add(place)
        return found


MOST = 10_000

_CHECK = {
    "type": "object",
    "properties": {
        "payload": {"type": "string"},
        "at": {"type": "integer", "description": "seconds since 1970 by the terminal's clock"},
        "scene": {"type": "string"},
        "accepted": {"type": "boolean", "description": "what the terminal said; what it refused uses nothing up"},
    },
    "required": ["payload", "at", "scene", "accepted"],
}
Check = Annotated[Raw, Meta(extra_json_schema=_CHECK)]
"""Decoded apart: a row of another shape is one malformed row."""


class OfflineCheck(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    payload: str
    at: int
    scene: str
    accepted: bool


class VerifyBatch(Body, frozen=True):
    """What one terminal checked while it was offline."""

    terminal: Place
    checks: Annotated[list[Check], Meta(max_length=MOST)]
    institution: Place | None = None
    clock: Annotated[int | None, Meta(description="what the terminal's clock says now, seconds since 1970")] = None


class FirstUse(Struct, frozen=True, omit_defaults=True):
    """Who used a code first; what nobody remembers is left out."""

    institution: str | None = None
    terminal: str | None = None
    at: datetime | None = None


class OfflineVerdict(Struct, frozen=True, omit_defaults=True, gc=False):
    """ruling: why a check was not judged. reason, step, name, card_id and profile as in VerifyAnswer."""

    accepted: bool
    ruling: Literal["judged", "malformed", "too_late", "too_early", "clock"] = "judged"
    reason: Outcome | None = None
    step: int | None = None
    name: str | None = None
    card_id: CardId | None = None
    profile: Profile | None = None
    first: Annotated[FirstUse | None, Meta(description="of a code that others had used: `replayed`")] = None


class OfflineVerdicts(Struct, frozen=True):
    """Row for row."""

    rows: list[OfflineVerdict]
    accepted: int
    refused: int
    unjudged: int
    conflicts: Annotated[int, Meta(description="the terminal accepted what is refused or not judged")]
    clock_drift: Annotated[int, Meta(description="seconds that the terminal's clock was taken to be fast")]


class OfflineList(Struct, frozen=True):
    """Issuer keys, scenes and revocations, for terminals without network (codes/offline.py)."""

    list: Annotated[str, Meta(description="the text that is signed: JSON, kept as it is")]
    key_version: Annotated[int, Meta(description="of the signing key")]
    signature: Annotated[str, Meta(description="SM2 of `ehc offline list v1`, a line feed and the text: r ‖ s, hex")]


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
    degraded: Annotated[
        bool, Meta(description="accepted without knowing whether the code was issued here, or revoked")
    ] = False
