"""From what came in to a wire type. Whatever is wrong is raised as one of the errors that problems.py answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec
from starlette.exceptions import HTTPException

from ehc.web.wire.base import Body


def require_media_type(content_type: str, allowed: tuple[str, ...]) -> None:
    """Text is UTF-8 or is not said to be anything else."""
    media_type, _, parameter = content_type.lower().partition(";")
    if media_type.strip() not in allowed or parameter.strip().replace('"', "") not in ("", "charset=utf-8"):
        raise HTTPException(415, f"send Content-Type: {' or '.join(allowed)}")


class Decoder(Protocol):
    """What msgspec.json.Decoder is."""

    def decode(self, body: bytes, /) -> Any: ...


def decode(decoder: Decoder, body: bytes) -> Any:
    """Raises msgspec.DecodeError, or ValidationError where it is JSON of another shape."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if is_no_utf_8(error):
            raise msgspec.DecodeError(f"not UTF-8 {_first_wrong_byte(body)}") from error
        raise
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deep") from error


def is_no_utf_8(error: Exception) -> bool:
    """Whether bytes that are not UTF-8 are what a decoder complains of: msgspec has said so in two ways."""
    return "utf-8" in str(error).lower() and not isinstance(error, msgspec.ValidationError)


def _first_wrong_byte(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"(byte {error.start})"
    return "after its escapes are resolved"


def decode_query(kind: type[Body], pairs: Iterable[tuple[str, str]]) -> Body:
    """Numbers are written in digits. A parameter that stands twice is refused, as an unknown one is."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise msgspec.ValidationError(f"given twice - at `$.{name}`")
        values[name] = value
    return msgspec.convert(values, kind, strict=False)
