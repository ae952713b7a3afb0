"""Which of two versions of a physical card stands (the conflict rules of a synchronisation).

    1  cancelled is final: a cancelled version stands against every one that is not
    2  the higher version number, as the card's own registry counts
    3  of two versions with one number: the one that the card's issuer made itself
    4  of two by others: the canonical row that is greater, byte for byte

So there is an order of all versions of a card, and the greatest stands: it does not matter in which order, how often or
over whom they come, two registries that know the same versions say the same.
"""

from __future__ import annotations

from ehc.registry.card import CardState, PhysicalCard, canonical


def stands(one: PhysicalCard, other: PhysicalCard) -> bool:
    """Whether `one` stands against `other`, another version of the same card."""
    return _rank(one) > _rank(other) or (_rank(one) == _rank(other) and canonical(one) > canonical(other))


def _rank(card: PhysicalCard) -> tuple[bool, int, bool]:
    return card.state is CardState.CANCELLED, card.version, card.source == card.issuer
