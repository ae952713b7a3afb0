"""Registering many people."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ehc.web.wire.base import Body, CardId

MOST = 10_000
_PERSON = {"type": "object", "properties": {name: {"type": "string"} for name in ("id_type", "id_number", "name")}}
Row = Annotated[msgspec.Raw, Meta(extra_json_schema=_PERSON, description="as Registration, without details")]
"""Decoded one by one: a row of another shape is one refused row."""


class PersonRow(Body, frozen=True, gc=False):
    id_type: str
    id_number: str
    name: str


class Batch(Body, frozen=True):
    people: Annotated[list[Row], Meta(max_length=MOST)]


Word = Literal["created", "existing", "restored", "other_name", "refused"]


class RowOutcome(Struct, frozen=True, omit_defaults=True, gc=False):
    row: Annotated[int, Meta(description="of a batch: place in `people`, from 0; of a bulk body: line, from 1")]
    outcome: Annotated[
        Word,
        Meta(description="other_name: the document has a card under another name, which must be renamed first"),
    ]
    card_id: CardId | None = None
    field: Annotated[str | None, Meta(description="of a refused row")] = None
    reason: Annotated[str | None, Meta(description="of a refused row")] = None


class BatchOutcome(Struct, frozen=True):
    """Row for row. Every row that is here is stored."""

    rows: list[RowOutcome]
