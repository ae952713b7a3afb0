"""Codes (二维码)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ehc.web.wire.base import Body, CardId

MOST_LABELS = 72
"""Three sheets: about a second of drawing."""

Kind = Literal["static", "dynamic"]
Payload = Annotated[str, Meta(description="the text of the QR code, as scanned")]


class CodeRequest(Body, frozen=True):
    card_id: CardId
    kind: Kind


class DrawingRequest(CodeRequest, frozen=True):
    scale: Annotated[int, Meta(ge=1, le=64, description="pixels, or SVG units, a module")] = 8


class LabelsRequest(Body, frozen=True):
    card_ids: Annotated[list[CardId], Meta(min_length=1, max_length=MOST_LABELS)]
    note: Annotated[str, Meta(max_length=60, description="such as who prints it; what is too long is cut off")] = ""
    sheet: Annotated[
        Literal["a4", "single"], Meta(description="24 labels of 70 mm by 37 mm a page, or a label a page")
    ] = "a4"


class CodeShown(Body, frozen=True):
    payload: Payload


class Code(Struct, frozen=True):
    """Times are null for a static code."""

    payload: str
    kind: Kind
    expires_at: datetime | None
    refresh_at: datetime | None


class RevokedCode(Struct, frozen=True):
    card_id: CardId
    name: Annotated[str, Meta(description="masked")]
    expires_at: Annotated[datetime, Meta(description="until then it would have been good")]
