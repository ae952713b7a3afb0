"""Issuing a code for a card: static (静态码) or dynamic (动态码)."""

from __future__ import annotations

from dataclasses import dataclass

from ehc.codes.payload import dynamic_payload, static_payload
from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import national_code
from ehc.errors import Conflict, NotFound
from ehc.model import CardStatus
from ehc.ports import HotState, KeyService


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A payload and its times in seconds since 1970; a static code has none."""

    payload: str
    expires_at: int | None = None  # the last second in which it is accepted, clocks being equal
    refresh_at: int | None = None  # when an app should show a new one


class Issuer:
    """Makes codes for cards that may be used. Raises NotFound, Conflict for a card in another state, KeyUnavailable."""

    def __init__(self, keys: KeyService, hot: HotState, policy: ScenePolicy) -> None:
        self._keys, self._hot, self._policy = keys, hot, policy

    async def static(self, card_id: str, now: int) -> IssuedCode:
        """The same text every time."""
        return IssuedCode(static_payload((await self._usable(card_id, now)).card_id))

    async def dynamic(self, card_id: str, now: int) -> IssuedCode:
        """A code that lives from `now` (seconds) for the policy's validity; remembered before it is handed out.

        Profile N tokens say a time to the second and nothing else: asking twice in one second gives one code.
        """
        card = await self._usable(card_id, now)
        expiry = now + self._policy.validity
        token = self._keys.seal_validity(expiry if self._policy.time == "expiry" else now)
        code = national_code(card.card_id, token)
        remembered = self._hot.remember(card.card_id, code, now, expiry)
        if remembered is not None:
            await remembered
        return IssuedCode(dynamic_payload(card.card_id, token), expiry, min(now + self._policy.refresh, expiry))

    async def _usable(self, card_id: str, now: int) -> CardStatus:
        found = self._hot.status(card_id.upper())
        card = found if found is None or isinstance(found, CardStatus) else await found
        if card is None:
            raise NotFound("no card has this card id")
        if not card.usable(now):
            raise Conflict(f"the card's state is {card.state.name}: only NORMAL gets codes, before its deadline")
        return card
