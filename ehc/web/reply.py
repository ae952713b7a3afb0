"""What a handler gives back: plain values, which both ways in (hot.py, Starlette) send as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

JSON = "application/json"
PROBLEM = "application/problem+json"


class Reply(NamedTuple):
    body: bytes
    status: int = 200
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()  # beside Content-Type and what every answer has


class Streamed(NamedTuple):
    """A reply of unknown length; once it has begun, an error can only cut the connection."""

    chunks: AsyncIterator[bytes]
    status: int = 200
    media_type: str = "application/x-ndjson"


_encode = msgspec.json.Encoder().encode


def json(body: msgspec.Struct, status: int = 200) -> Reply:
    return Reply(_encode(body), status)
