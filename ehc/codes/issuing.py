"""Issuing a code for a card: static (静态码) or dynamic (动态码)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ehc.codes.payload import dynamic_payload, static_payload, temporary_payload
from ehc.codes.policy import ScenePolicy
from ehc.codes.reading import token_code
from ehc.config import Settings
from ehc.crypto.compact import LIFETIMES
from ehc.crypto.signed import signed_message, signed_text
from ehc.errors import Conflict, NotFound
from ehc.model import CardKind, CardStatus, Profile
from ehc.ports import HotState, KeyService, SerialBlocks


@dataclass(frozen=True, slots=True)
class Making:
    """What dynamic codes are made, and by whom."""

    profile: Profile = Profile.N
    issuer: int = 0  # GB/T 2260 code
    node: int = 0


def making(settings: Settings) -> Making:
    return Making(Profile(settings.issue_profile), settings.issuer, settings.node)


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A payload and its times in seconds since 1970; a static code has none."""

    payload: str
    expires_at: int | None = None  # the last second in which it is accepted, clocks being equal
    refresh_at: int | None = None  # when an app should show a new one
    name: str = ""  # masked: whose it is; of a static code


BLOCK = 4096
"""Serial numbers taken at once; a crash skips what is left of them."""

_TTL = {seconds: ttl for ttl, seconds in enumerate(LIFETIMES) if seconds is not None}


class Issuer:
    """Makes codes for cards that may be used. Raises NotFound, Conflict for a card in another state, KeyUnavailable."""

    def __init__(
        self, keys: KeyService, hot: HotState, policy: ScenePolicy, making: Making, serials: SerialBlocks
    ) -> None:
        self._keys, self._hot, self._policy, self._making, self._serials = keys, hot, policy, making, serials
        self._next = self._end = 0

    async def static(self, card_id: str, now: int) -> IssuedCode:
        """The same text every time; a temporary card's says that it is one. Raises Conflict where no scene takes it."""
        if not self._policy.static_scenes:
            raise Conflict("no scene accepts a static code here (setting static_scenes)")
        card = await self._usable(card_id, now)
        made = temporary_payload if card.kind is CardKind.TEMPORARY else static_payload
        return IssuedCode(made(card.card_id), name=card.name)

    async def dynamic(self, card_id: str, now: int, profile: Profile | None = None) -> IssuedCode:
        """A code that lives from `now` (seconds) for the policy's validity. profile: that of the settings when None."""
        card = await self._usable(card_id, now)
        wanted = profile or self._making.profile
        if wanted in (Profile.E2, Profile.E3):
            return await self._compact(card, now, signed=wanted is Profile.E3)
        payload, expiry = await (self._bound(card, now) if wanted is Profile.A else self._national(card, now))
        return IssuedCode(payload, expiry, min(now + self._policy.refresh, expiry))

    async def _national(self, card: CardStatus, now: int) -> tuple[str, int]:
        """Remembered before it is handed out. N says a time alone: asking twice in a second gives one code."""
        expiry = now + self._policy.validity
        token = self._keys.seal_validity(expiry if self._policy.time == "expiry" else now)
        code = token_code(card.card_id, token, bound=False)
        remembered = self._hot.remember(card.card_id, code, now, expiry)
        if remembered is not None:
            await remembered
        return dynamic_payload(card.card_id, token), expiry

    async def _bound(self, card: CardStatus, now: int) -> tuple[str, int]:
        expiry = now + self._policy.validity
        token = self._keys.seal_bound(card.card_id, expiry, await self._serial() & 0xFFFFFF)
        return dynamic_payload(card.card_id, token), expiry

    async def _compact(self, card: CardStatus, now: int, *, signed: bool) -> IssuedCode:
        """Lives for the longest of the profile's lifetimes that is within the policy's validity."""
        life = max(seconds for seconds in _TTL if seconds <= max(self._policy.validity, min(_TTL)))
        serial = await self._serial()
        made_by = {"issuer": self._making.issuer, "node": self._making.node}
        text = self._keys.seal_compact(card.account, **made_by, serial=serial, issued_at=now, ttl=_TTL[life])
        if signed:
            text = await asyncio.to_thread(self._sign, text)
        return IssuedCode(text, now + life, min(now + self._policy.refresh, now + life))

    def _sign(self, compact: str) -> str:
        """The same header and alias with a signature. The version stands in what is signed: it is guessed."""
        version = max(self._keys.verification_keys(), default=1)
        made = self._keys.sign(message := signed_message(compact, version))
        while made.version != version:
            version = made.version
            made = self._keys.sign(message := signed_message(compact, version))
        return signed_text(message, made.value)

    async def _serial(self) -> int:
        if self._next == self._end:
            first = await asyncio.to_thread(self._serials.take, BLOCK)
            if self._next == self._end:  # nobody else has fetched one meanwhile
                self._next, self._end = first, first + BLOCK
        self._next += 1
        return self._next - 1

    async def _usable(self, card_id: str, now: int) -> CardStatus:
        found = self._hot.status(card_id.upper())
        card = found if found is None or isinstance(found, CardStatus) else await found
        if card is None:
            raise NotFound("no card has this card id")
        if not card.usable(now):
            raise Conflict(f"the card's state is {card.state.name}: only NORMAL gets codes, before its deadline")
        return card
