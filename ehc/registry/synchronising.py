"""Two registries come to say the same: the other one's feed is pulled, ours is pushed.

Both feeds stand in the order of changes, and a place in each is kept with what it brought: a run that was killed is
continued by the next, and what comes twice changes nothing. Which of two versions stands says versions.py, on both
sides.
Versions that the other registry made itself are not pushed back to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple, Protocol

from ehc.errors import Conflict
from ehc.ports import Clock
from ehc.registry.card import CardEventKind, PhysicalCard, RangeDigest, Taking
from ehc.registry.registry import Record, Registry, columns

PAGE = 1000
"""Cards in one request."""


class FeedPage(NamedTuple):
    """registry: who says so. next: its word for the place behind this page. more: there is another page now."""

    registry: str
    records: Sequence[Record]
    next: str
    more: bool


class Peer(Protocol):
    """Another registry. All raise Unavailable, and what it answers: Unauthenticated, Forbidden, TooMany …"""

    def page(self, after: str, limit: int) -> FeedPage: ...

    def push(self, registry: str, cards: Sequence[PhysicalCard]) -> Sequence[str]:
        """Card for card, a word of Ruling. registry: who sends."""
        ...

    def digest(self, after: str, limit: int) -> RangeDigest:
        """Of the first so many cards with numbers behind this one."""
        ...

    def within(self, after: str, until: str, limit: int) -> Sequence[Record]:
        """As RegistryStore.within."""
        ...


class Synchronisation:
    """Iterate to do it: the number of cards that came or went so far, with every page.

    peer_name: under which the places are kept. pulled, pushed: what became of cards, by Ruling."""

    def __init__(self, registry: Registry, peer: Peer, peer_name: str, clock: Clock) -> None:
        self._registry, self._peer, self._name, self._clock = registry, peer, peer_name, clock
        self.pulled: Counter[str] = Counter()
        self.pushed: Counter[str] = Counter()
        self.refused: list[tuple[str, str, str]] = []  # number, field, reason of cards that could not be kept here
        self.other_name: list[str] = []  # numbers of cards kept without an electronic one

    def __iter__(self) -> Iterator[int]:
        theirs = yield from self._pull()
        yield from self._push(theirs)

    def _pull(self) -> Generator[int, None, str]:
        """Returns the other registry's code."""
        cursor, more, code = self._registry.store.cursors(self._name).pulled, True, ""
        while more:
            page = self._peer.page(cursor, PAGE)
            code, cursor, more = self._other(page.registry), page.next, page.more
            if page.records:
                self._take(page)
                yield sum(self.pulled.values())
        return code

    def _other(self, code: str) -> str:
        if code == self._registry.code:
            raise Conflict(f"both registries call themselves {code}: give each a code of its own (setting registry)")
        return code

    def _take(self, page: FeedPage) -> None:
        by = f"registry {page.registry}"
        taking = Taking(self._clock(), CardEventKind.RECEIVED, by, peer=self._name, cursor=page.next)
        linked, rulings = self._registry.intake.take(*columns(page.records), taking)
        refused = linked.prepared.refused
        self.pulled.update(map(str, rulings))
        self.pulled.update(["refused"] * (len(page.records) - len(linked.prepared.cards)))
        self.refused += [(page.records[one.row].number, one.field, one.reason) for one in refused]
        self.other_name += [linked.prepared.cards[place].number for place in linked.other_name]

    def _push(self, theirs: str) -> Iterator[int]:
        store = self._registry.store
        while rows := store.feed(store.cursors(self._name).pushed, PAGE):
            cards = [card for _, card in rows if card.source != theirs]
            if cards:
                self.pushed.update(self._peer.push(self._registry.code, cards))
            store.pushed(self._name, rows[-1][0], self._clock())
            yield sum(self.pulled.values()) + sum(self.pushed.values())
