"""base45 (RFC 9285): bytes inside the QR alphanumeric mode, three characters for two bytes."""

from __future__ import annotations

from ehc import _native
from ehc.errors import PayloadError

_LENGTH, _CHARACTER = 32, 33  # ehc.h


def base45_encode(data: bytes) -> str:
    """3 characters for every 2 bytes, 2 for a last one."""
    return _native.base45_encode(data)


def base45_decode(text: str | bytes) -> bytes:
    """Strict: what base45_encode cannot have made is refused.

    Raises PayloadError with the byte offset of a character outside the alphabet or of a group over its 65535 or 255.
    """
    raw = _native.text_bytes(text)
    status, offset, data = _native.base45_decode(raw)
    if data is None:
        why = {_LENGTH: f"{len(raw)} characters are no base45", _CHARACTER: f"no base45 character at offset {offset}"}
        raise PayloadError(
            why.get(status, f"a base45 group over its range at offset {offset}"), offset, "some other text"
        )
    return data
