"""Revoking one code (作废), and giving another one for it (重发)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from ehc.codes.issuing import IssuedCode, Issuer
from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import SIGNED, CodeReader, Read
from ehc.errors import Conflict, InputError, NotFound
from ehc.model import CardStatus, Question, Reason
from ehc.ports import HotState, KeyService, Revocations

_ALIVE = (Reason.ACCEPTED, Reason.EARLY)
_NONE = "this is no code that could be used: it is expired, or none of this system's"


@dataclass(frozen=True, slots=True)
class Revoked:
    """A code that nobody may use any more. Times in seconds since 1970."""

    card: CardStatus
    issued_at: int
    until: int  # until then it would have been good


@dataclass(frozen=True, slots=True)
class Revoker:
    """Raises InputError for what is no code, NotFound for one that is not alive, Conflict for a static one,
    KeyUnavailable, Unavailable."""

    keys: KeyService
    hot: HotState
    policy: ScenePolicy
    issuer: Issuer
    revocations: Revocations

    async def revoke(self, payload: str, now: int) -> Revoked:
        """Nobody may use it from here on. Doing it again is no error."""
        found = self._living(payload, now)
        question = Question(found.card, found.code, found.issued_at, found.until, found.remembered)
        asked = self.hot.ask(question, now)
        answer = await asked if isinstance(asked, Awaitable) else asked
        if answer.card is None or not answer.issued:
            raise NotFound(_NONE)
        if found.code.startswith(SIGNED):
            await asyncio.to_thread(self.revocations.add, found.code.removeprefix(SIGNED), found.until, now)
        revoked = self.hot.revoke(found.card, found.code, found.issued_at, found.until)
        if revoked is not None:
            await revoked
        return Revoked(answer.card, found.issued_at, found.until)

    async def reissue(self, payload: str, now: int) -> IssuedCode:
        """A dynamic code of the same card, after this one is revoked. Raises Conflict for a card in another state."""
        revoked = await self.revoke(payload, now)
        # profile N says a time alone: in the second of the old code it would give the old code
        return await self.issuer.dynamic(revoked.card.card_id, max(now, revoked.issued_at + 1))

    def _living(self, payload: str, now: int) -> Read:
        found = CodeReader(self.keys, self.policy).read(payload, now)
        if found.verdict.step in (1, 2):
            raise InputError(f"payload: {found.verdict.detail}")
        if found.verdict.reason is Reason.NO_TOKEN:
            raise Conflict("a static code is the card's own and has no end: suspend the card")
        if found.verdict.reason not in _ALIVE:
            raise NotFound(_NONE)
        return found
