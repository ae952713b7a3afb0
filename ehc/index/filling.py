"""Filling an index that was empty: who fills it knows which keys are in it, and asks for no others.

A bit for every beginning that a key may have: they are random already, and in order touch the memory in order. It may
name a key that nobody has, as often as bits are set; it never misses one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FEW: Final = 25  # 4 MiB: one key of nine is asked for in vain when four million are there
MANY: Final = 28  # 32 MiB: one of thirty when nine million are there

Keys = NDArray[np.int64]


class Added(NamedTuple):
    """Keys, and the events from `first` to before `following` that brought them."""

    first: int
    following: int
    keys: Keys


class Filling:
    """Of one index, from its first event on. Every key comes with an event, so whoever finds the number of the next
    event where it left it knows that nobody else has added any; else all keys are asked for, from then on."""

    def __init__(self, bits: int = FEW) -> None:
        """bits: so many of a key's first ones are looked at."""
        self._next, self._bits = 1, bits
        self._there = np.zeros(0, np.uint8)

    def perhaps(self, keys: Keys, following: int) -> Keys:
        """Those that the index may have. following: the number of its next event."""
        if following != self._next:
            return keys
        if not len(self._there):
            return keys[:0]
        places, bits = self._places(keys)
        kept: Keys = keys[self._there[places] & bits != 0]
        return kept

    def add(self, added: Added) -> None:
        """What is committed."""
        if added.first != self._next:
            return
        self._next = added.following
        if not len(self._there):
            self._there = np.zeros(1 << self._bits - 3, np.uint8)
        np.bitwise_or.at(self._there, *self._places(added.keys))

    def _places(self, keys: Keys) -> tuple[Keys, NDArray[np.uint8]]:
        """The byte, and the bit in it."""
        places = (keys.view(np.uint64) >> np.uint64(64 - self._bits)).astype(np.int64)
        return places >> 3, np.left_shift(1, places & 7, dtype=np.uint8, casting="unsafe")
