"""A service that is asked both ways: at once (web/shortcut.py), and the long way."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from ehc.access.caller import Caller, Scope
from ehc.errors import EhcError
from ehc.web.clocks import ahead
from ehc.web.decoding import decode
from ehc.web.endpoint import Call
from ehc.web.handlers import verify
from ehc.web.shortcut import Shortcut, open_shortcut
from ehc.web.wire.verify import VerifyDecoder, VerifyRequest

SINGLE_USE, OFTEN, STATIC = "010105", "010103", "010101"
APP, HOSPITAL = Caller("app", frozenset(Scope)), Caller("hospital", frozenset(Scope), "H1")
DESK = {"institution": "H1", "terminal": "desk-1"}


class Both:
    """One service, asked either way."""

    def __init__(self, service: Any) -> None:
        self.service, self.worker = service, service.app.worker
        shortcut = open_shortcut(service.services)
        assert isinstance(shortcut, Shortcut)
        self.shortcut, self._decoder = shortcut, VerifyDecoder(VerifyRequest)

    def at_once(self, body: bytes, caller: Caller = APP, client_time: str | None = None) -> bytes | None:
        async def verify() -> bytes | None:
            clock = self.service.services.clock
            answer = self.shortcut.verify(body, caller.institution, clock(), ahead(client_time, clock))
            return answer if answer is None or isinstance(answer, bytes) else await answer

        found: bytes | None = self.service.run(verify)
        return found

    def long(self, body: bytes, caller: Caller = APP, client_time: str | None = None) -> bytes:
        """Empty for a request that is refused as a whole. What it was is learned then, as in hot.py."""
        call = Call(self.worker.services, self.worker.observed, caller, "verify", client_time=client_time)
        try:
            request = decode(self._decoder, body)
            reply = self.service.run(verify.verify, call, request)
        except (EhcError, msgspec.DecodeError):
            return b""
        self.shortcut.learn(body, request, caller)
        return bytes(reply.body)

    def found(self, answer: Any) -> Any:
        """What a hot state answered at once, or gave to await."""

        async def wait() -> Any:
            return await answer

        return self.service.run(wait) if isinstance(answer, Awaitable) else answer

    def codes(self, number: int) -> list[str]:
        """All of one second, of one card each."""
        return [
            self.service.code(self.service.register(id_number=number_of(n))["card_id"])["payload"]
            for n in range(number)
        ]


def number_of(n: int) -> str:
    """Invented people, born one after another."""
    digits = f"11010020171225{n:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


def body_of(payload: str, scene: str = SINGLE_USE, **place: str) -> bytes:
    return json.dumps({"payload": payload, "scene": scene} | place).encode()


@contextmanager
def opened(make_service: Callable[..., Any], **settings: Any) -> Iterator[Both]:
    """With an event loop of its own."""
    service = make_service(static_scenes=[STATIC], single_use_scenes=[SINGLE_USE], **settings)
    with asyncio.Runner() as runner:
        service.run = lambda call, *arguments: runner.run(call(*arguments))
        yield Both(service)

        async def close() -> None:
            service.services.hot.close()
            await asyncio.sleep(0)

        runner.run(close())
