"""Handing on: now where the service answers, later where it may be later and the service does not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from ehc.errors import InputError, Unavailable
from ehc.proxy.family import LATER, Family
from ehc.store.outbox import Outbox, Waiting

DO = "/api/do"
RECORDS = ("/v1/records", "/v1/records/batch")
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
TRIED_AGAIN = frozenset({401, 408, 425, 429, 500, 502, 503, 504})
"""Statuses that say nothing of the row itself: a service that is busy, a clock or a key that can be put right."""

Answer = tuple[int, bytes]


class Sender:
    """family: None without family A; queue: None keeps nothing."""

    def __init__(self, client: httpx.AsyncClient, family: Family | None, queue: Outbox | None) -> None:
        self._client, self._family, self._queue = client, family, queue
        self._wake = asyncio.Event()

    async def do(self, method: str, body: dict[str, Any], org_code: str | None) -> Answer:
        """One method of family A. Raises Unavailable."""
        kept = msgspec.json.encode({"method": method, "body": body, "orgCode": org_code})
        return await self._now_or_later(DO, kept, may_wait=method in LATER)

    async def hand_on(self, method: str, target: str, body: bytes) -> Answer:
        """One request of /v1. Raises Unavailable."""
        if method == "POST" and target in RECORDS:
            return await self._now_or_later(target, body, may_wait=True)
        return await self._ask(method, target, body)

    async def _now_or_later(self, path: str, body: bytes, *, may_wait: bool) -> Answer:
        queue = self._queue if may_wait else None
        if queue is not None and queue.counts().waiting:  # what came before goes before
            return await self._keep(queue, path, body)
        try:
            status, answer = await self._post(path, body)
        except Unavailable:
            if queue is None:
                raise
            return await self._keep(queue, path, body)
        if queue is not None and status in TRIED_AGAIN:
            return await self._keep(queue, path, body)
        return status, answer

    async def _keep(self, queue: Outbox, path: str, body: bytes) -> Answer:
        number = await asyncio.to_thread(queue.put, path, body, int(time.time()))
        self._wake.set()
        return 202, msgspec.json.encode({"queued": number})

    async def _post(self, path: str, body: bytes) -> Answer:
        return await self._ask_family(body) if path == DO else await self._ask("POST", path, body)

    async def _ask_family(self, kept: bytes) -> Answer:
        if self._family is None:
            raise InputError("this proxy has no --app: it does not speak family A")
        request = msgspec.json.decode(kept)
        envelope = self._family.envelope(request["method"], request["body"], request["orgCode"], int(time.time()))
        status, answer = await self._ask("POST", DO, msgspec.json.encode(envelope))
        if status != 200:
            return status, answer
        return status, msgspec.json.encode(self._family.opened(msgspec.json.decode(answer)))

    async def _ask(self, method: str, target: str, body: bytes) -> Answer:
        headers = {"content-type": "application/json"} if body else {}
        try:
            response = await self._client.request(method, target, content=body or None, headers=headers)
        except httpx.TransportError as error:
            raise Unavailable(f"the service does not answer: {type(error).__name__}") from error
        return response.status_code, response.content

    async def keep_sending(self, note: Callable[[str], None]) -> None:
        """Empties the queue, oldest first, for as long as it runs. note: logs, without anybody's data."""
        queue, wait = self._queue, FIRST_WAIT
        while queue is not None:
            row = await asyncio.to_thread(queue.first)
            if row is None or not await self._sent(queue, row, note):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LONGEST_WAIT if row is None else wait)
                self._wake.clear()
                wait = FIRST_WAIT if row is None else min(LONGEST_WAIT, 2 * wait)
            else:
                wait = FIRST_WAIT

    async def _sent(self, queue: Outbox, row: Waiting, note: Callable[[str], None]) -> bool:
        """False: it has to wait."""
        try:
            status, answer = await self._post(row.path, row.body)
        except Unavailable:
            return False
        if status in TRIED_AGAIN:
            return False
        why = refusal(row.path, status, answer)
        if why is None:
            await asyncio.to_thread(queue.done, row.number)
        else:
            note(f"row {row.number} of the queue is refused: {why}")
            await asyncio.to_thread(queue.refuse, row.number, why)
        return True


def refusal(path: str, status: int, answer: bytes) -> str | None:
    """Why the service will never take it; None where it has it."""
    if not 200 <= status < 300:
        return f"HTTP {status}"
    if path == DO:
        code = msgspec.json.decode(answer).get("returnCode")
        return None if code == "0" else f"returnCode {code}"
    return None
