"""Whether two registries say the same, proved: range by range of card numbers, the SM3 digest over the canonical rows
of all cards in it, on both sides; where digests differ, the rows that do.

A range is as many cards as the other registry has behind the one before; the last goes on to the end. So every card of
either side is in exactly one. Cards that change meanwhile may differ: reconcile again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from ehc.registry.card import PhysicalCard, RangeDigest, RegistryStore, digest_of
from ehc.registry.registry import Record, record_of
from ehc.registry.synchronising import PAGE, Peer

RANGE = 8192
"""Cards of one digest."""

T = TypeVar("T", PhysicalCard, Record)


class Difference(NamedTuple):
    """A card that the two do not say the same of. fields: in which they differ; "" where one has no such card."""

    number: str
    ours: Record | None
    theirs: Record | None
    fields: str


class ComparedRange(NamedTuple):
    ours: RangeDigest
    theirs: RangeDigest
    differences: Sequence[Difference]


def reconcile(store: RegistryStore, peer: Peer, cards: int = RANGE) -> Iterator[ComparedRange]:
    """Every range, in the order of the numbers. cards: of one range."""
    after, more = "", True
    while more:
        theirs = peer.digest(after, cards)
        more = theirs.cards >= cards
        until = theirs.last if more else ""
        own = _all(store.within, after, until)
        ours = digest_of(own)
        same = (ours.cards, ours.digest) == (theirs.cards, theirs.digest)
        yield ComparedRange(ours, theirs, [] if same else _differences(own, _all(peer.within, after, until)))
        after = until


def _all(within: Callable[[str, str, int], Sequence[T]], after: str, until: str) -> list[T]:
    found: list[T] = []
    while page := within(found[-1].number if found else after, until, PAGE):
        found += page
    return found


def _differences(own: Sequence[PhysicalCard], their: Sequence[Record]) -> list[Difference]:
    ours, theirs = ({one.number: record_of(one) for one in own}, {one.number: one for one in their})
    both = sorted(ours.keys() | theirs.keys())
    return [
        Difference(number, ours.get(number), theirs.get(number), _fields(ours.get(number), theirs.get(number)))
        for number in both
        if ours.get(number) != theirs.get(number)
    ]


def _fields(one: Record | None, other: Record | None) -> str:
    if one is None or other is None:
        return ""
    return " ".join(field for field, a, b in zip(Record._fields, one, other, strict=True) if a != b)
