"""Filling an index that was empty: who fills it knows which keys are in it, and asks for no others.

A Bloom filter over keys that are random already, two places a key. It may name a key that nobody has, one of twenty
when four million are in it; it never misses one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_PLACES: Final = 1 << 25  # a bit each
_BITS: Final = (1 << np.arange(8)).astype(np.uint8)

Keys = NDArray[np.int64]


class Added(NamedTuple):
    """Keys, and the events from `first` to before `following` that brought them."""

    first: int
    following: int
    keys: Keys


class Filling:
    """Of one index, from its first event on. Every key comes with an event, so whoever finds the number of the next
    event where it left it knows that nobody else has added any; else all keys are asked for, from then on."""

    def __init__(self) -> None:
        self._next = 1
        self._there = np.zeros(0, np.uint8)

    def perhaps(self, keys: Keys, following: int) -> Keys:
        """Those that the index may have. following: the number of its next event."""
        if following != self._next:
            return keys
        if not len(self._there):
            return keys[:0]
        one, other = (self._there[places >> 3] & _BITS[places & 7] for places in _places(keys))
        kept: Keys = keys[(one != 0) & (other != 0)]
        return kept

    def add(self, added: Added) -> None:
        """What is committed."""
        if added.first != self._next:
            return
        self._next = added.following
        if not len(self._there):
            self._there = np.zeros(_PLACES // 8, np.uint8)
        for places in _places(added.keys):
            self._set(places >> 3, _BITS[places & 7])

    def _set(self, at: Keys, bits: NDArray[np.uint8]) -> None:
        """Of several bits of one byte an assignment keeps one: the others are set again."""
        while len(at):
            self._there[at] |= bits
            lost = (self._there[at] & bits) == 0
            at, bits = at[lost], bits[lost]


def _places(keys: Keys) -> tuple[Keys, Keys]:
    return keys & (_PLACES - 1), (keys >> 32) & (_PLACES - 1)
