"""The hot state of a deployment that goes on while Redis is gone (setting `redis_gone`): in scenes where a code serves
often, the database says what it knows of the card. Whether a code was issued here, or revoked by itself, is not known
then; so every such answer is marked. Nothing is claimed, remembered or revoked: that is Unavailable.
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

from ehc.errors import Unavailable
from ehc.model import Answer, CardStatus, Claim, Question
from ehc.ports import AccountLookup, HotState
from ehc.store.card_status import StatusReader, read_statuses


class DegradingHotState:
    """ports.HotState over one that may be gone."""

    def __init__(self, hot: HotState, cards: AccountLookup) -> None:
        self._hot, self._reader = hot, StatusReader(partial(read_statuses, cards))
        self.ask_many, self.claimant, self.once = hot.ask_many, hot.claimant, hot.once
        self.remember, self.revoke, self.changing, self.close = hot.remember, hot.revoke, hot.changing, hot.close
        self.renew, self.shortcut = hot.renew, hot.shortcut

    async def ask(self, question: Question, now: int) -> Answer:
        try:
            answer = self._hot.ask(question, now)
            return answer if isinstance(answer, Answer) else await answer
        except Unavailable:
            if question.uses:
                raise
            card = await self._reader.status(question.card)
            revoked = card is not None and bool(question.code) and question.issued_at < card.codes_from
            return Answer(True, card, Claim.REVOKED if revoked else Claim.NONE, degraded=True)

    async def status(self, card: str | int) -> CardStatus | None:
        try:
            found = self._hot.status(card)
            return await found if isinstance(found, Awaitable) else found
        except Unavailable:
            return await self._reader.status(card)

    def ready(self) -> bool:
        try:
            return self._hot.ready()
        except Unavailable:
            return False
