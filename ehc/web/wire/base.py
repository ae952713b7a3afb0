"""What several systems' wire types are made of, and the problem document."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

CardId = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{1,128}$", max_length=128, description="电子健康卡ID, hex")]
Scene = Annotated[
    str, Meta(pattern="^[0-9]{6}$", max_length=6, description="诊疗环节, such as 010101 挂号, 010105 收费")
]
Place = Annotated[str, Meta(pattern="^[0-9A-Za-z._-]{1,64}$", max_length=64)]

Hex32 = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$", max_length=64, description="32 bytes in hex")]
Hex64 = Annotated[
    str, Meta(pattern="^[0-9A-Fa-f]{128}$", max_length=128, description="SM2: x and y, or r and s, in hex")
]

PARAMETERS: dict[str, Any] = {
    "card_id": CardId,
    "member": CardId,
    "institution": Place,
    "department": Place,
    "terminal": Place,
    "sdk": Place,
    "version": Annotated[str, Meta(pattern="^[0-9A-Za-z.+-]{1,64}$", max_length=64, description="semantic version")],
    "platform": Place,
    "app": Place,
    "key": Place,
    "person": Annotated[str, Meta(pattern="^[1-9][0-9]{0,14}$", max_length=15, description="key of a person")],
    "patient": Annotated[str, Meta(pattern="^[1-9][0-9]{0,14}$", max_length=15, description="key of a person")],
    "record": Annotated[str, Meta(pattern="^[1-9][0-9]{0,14}$", max_length=15)],
    "review": Annotated[str, Meta(pattern="^[1-9][0-9]{0,14}$", max_length=15)],
    "consumer": Place,
    "grant": Annotated[str, Meta(pattern="^[0-9]{1,15}$", max_length=15)],
}
"""Parameters of paths and their types, for the OpenAPI document."""


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes in, as a body or as the parameters of a query."""


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457."""

    type: Annotated[str, Meta(description="urn:ehc:problem:…")]
    title: str
    status: int
    instance: Annotated[str, Meta(description="urn:ehc:request:… with the X-Request-Id of this answer")]
    detail: str | None = None
    field: Annotated[str | None, Meta(description="the member of the body that is refused")] = None
    offset: Annotated[int | None, Meta(description="byte of the body at which it stops being JSON")] = None
