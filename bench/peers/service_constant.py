"""The same server reading the same body and answering a constant: what nothing at all would cost."""

from __future__ import annotations

from typing import Any

ANSWER = (
    b'{"accepted":true,"reason":"accepted","step":0,"detail":null,"scene":"010105","name":"**\xe4\xbc\x9f","card_id":"'
    + b"A" * 64
    + b'","expires_at":"2026-01-01T08:05:00+08:00","profile":"N","visit":"0123456789ABCDEF"}'
)
HEADERS = [("content-type", "application/json"), ("x-request-id", "0" * 32), ("cache-control", "no-store")]


class App:
    async def __rsgi__(self, _scope: Any, proto: Any) -> None:
        await proto()
        proto.response_bytes(200, HEADERS, ANSWER)


app = App()
