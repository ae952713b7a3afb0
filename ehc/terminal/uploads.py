"""What was accepted without network, kept until the service has it: `store/outbox.py`, `POST /v1/verify/batch`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from ehc.client import Client
from ehc.crypto.signed import SignedVerdict
from ehc.store.outbox import Outbox, Waiting

PATH = "/v1/verify/batch"
MOST = 500
_FOREVER = 2**53
_SLACK = 86_400
"""Seconds after its end for which a code that was used stays known."""


class Uploads:
    """scene, institution, terminal: where this is. note: what the service would not have accepted."""

    def __init__(
        self, outbox: Outbox, scene: str, institution: str, terminal: str, note: Callable[[str], None]
    ) -> None:
        self._outbox, self._scene = outbox, scene
        self._institution, self._terminal, self._note = institution, terminal, note

    def keep(self, payload: str, verdict: SignedVerdict, now: int) -> None:
        """On the disk when this returns. Raises Unavailable."""
        until = _FOREVER if verdict.expiry is None else verdict.expiry + _SLACK
        at = int(time.time())  # by this machine's own clock: what it says when it uploads tells how far off it was
        body = {"payload": payload, "at": at, "scene": self._scene, "accepted": True}
        self._outbox.put(PATH, msgspec.json.encode(body), now, (verdict.serial_name, until))

    @property
    def waiting(self) -> int:
        return self._outbox.counts().waiting

    def send(self, client: Client) -> int:
        """All that waits; how many the service has now. Raises Unavailable, and what the service says: they stay."""
        sent = 0
        while rows := self._outbox.some(MOST):
            checks: list[dict[str, Any]] = [msgspec.json.decode(row.body) for row in rows]
            found = client.verify_batch(checks, self._terminal, institution=self._institution, clock=int(time.time()))
            for row, verdict in zip(rows, found.rows, strict=True):
                self._settle(row, "" if verdict.accepted else verdict.reason or verdict.ruling)
            sent += len(rows)
        return sent

    def _settle(self, row: Waiting, refused: str) -> None:
        """A conflict stays in the file, for somebody to look at."""
        if refused:
            self._outbox.refuse(row.number, refused)
            self._note(f"accepted without network, and refused by the service: {refused}")
        else:
            self._outbox.done(row.number)
