"""Codes (二维码)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from ehc.web.wire.base import Body, CardId

Kind = Literal["static", "dynamic"]


class CodeRequest(Body, frozen=True):
    card_id: CardId
    kind: Kind


class Code(Struct, frozen=True):
    """Times are null for a static code."""

    payload: str
    kind: Kind
    expires_at: datetime | None
    refresh_at: datetime | None
