"""Another registry, asked for cards that ours does not have (5.5: where there is no municipal or provincial registry,
the national one is asked)."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class NationalCard(NamedTuple):
    """A physical card as that registry shows it; the holder is masked there."""

    registry: str  # its code
    number: str
    issuer: str
    state: str
    id_type: str
    name: str
    id_number: str
    version: int
    source: str
    changed_at: int


class NationalRegistry(Protocol):
    def find(self, number: str) -> NationalCard:
        """Raises NotFound where it has none; Unavailable for every other trouble, which says whose it is."""
        ...

    def close(self) -> None: ...
