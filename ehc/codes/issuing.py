"""Issuing a code for a card: static (静态码) or dynamic (动态码)."""

from __future__ import annotations

from dataclasses import dataclass

from ehc.codes.payload import dynamic_payload, static_payload
from ehc.codes.policy import ScenePolicy
from ehc.errors import Conflict, NotFound
from ehc.model import AccountState, Card
from ehc.ports import CardStore, KeyService


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A payload and its times in seconds since 1970; a static code has none."""

    payload: str
    expires_at: int | None = None  # the last second in which it is accepted, clocks being equal
    refresh_at: int | None = None  # when an app should show a new one


class Issuer:
    """Makes codes for cards that may be used. Raises NotFound, Conflict for a card in another state, KeyUnavailable."""

    def __init__(self, keys: KeyService, store: CardStore, policy: ScenePolicy) -> None:
        self._keys, self._store, self._policy = keys, store, policy

    def static(self, card_id: str) -> IssuedCode:
        """The same text every time."""
        return IssuedCode(static_payload(self._usable(card_id).card_id))

    def dynamic(self, card_id: str, now: int) -> IssuedCode:
        """A code that lives from `now` (seconds) for the policy's validity; remembered before it is handed out.

        Profile N tokens say a time to the second and nothing else: asking twice in one second gives one code.
        """
        card = self._usable(card_id)
        expiry = now + self._policy.validity
        token = self._keys.seal_validity(expiry if self._policy.time == "expiry" else now)
        self._store.remember_code(card.card_id, token, expiry)
        return IssuedCode(dynamic_payload(card.card_id, token), expiry, min(now + self._policy.refresh, expiry))

    def _usable(self, card_id: str) -> Card:
        card = self._store.card(card_id.upper())
        if card is None:
            raise NotFound("no card has this card id")
        if card.state is not AccountState.NORMAL:
            raise Conflict(f"the card's state is {card.state.name}: only NORMAL gets codes")
        return card
