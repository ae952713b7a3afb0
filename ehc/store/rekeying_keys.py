"""Keys of a whole province's other ids in key order, as many at a time as memory is given to.

Derived ids are random: taken account by account, each of their keys dirties a page of its own, 4 KiB of a SQLite log
for 16 bytes. Sorted, hundreds of them stand in one page. Where the ids are more than `CHUNK`, they are read once for
each part of the key space.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ehc.cards.rekeying import Packed
from ehc.store.account_keys import Keys, keys_of
from ehc.store.rekeying_pages import KeyRows, Pages

LEAST, LAST = -(1 << 63), (1 << 63) - 1
CHUNK = 1 << 23
"""Keys that are held in memory: 16 bytes each, twice that while they are sorted."""

_READ = 1 << 16  # ids of one query


class KeyPage(NamedTuple):
    keys: KeyRows
    last: int  # all keys up to this one are in this page or in one before


class OtherKeys:
    """One process's. What changes after it was read has its keys already: whoever makes a single id adds its key."""

    def __init__(self) -> None:
        self._of: tuple[int, int, int] | None = None  # rekeying, keys from, to
        self._keys: Keys = np.zeros(0, np.int64)
        self._accounts: NDArray[np.int64] = np.zeros(0, np.int64)

    def read(self, connection: Connection, pages: Pages, number: int, after: int, total: int) -> None:
        """Whatever `page` needs after that key. total: about how many ids there are."""
        if self._of is not None and self._of[0] == number and self._of[1] <= after < self._of[2]:
            return
        upto = LAST if total <= CHUNK else min(LAST, after + (1 << 64) // total * CHUNK)
        parts = [_between(part, after, upto) for part in _all_ids(connection, pages)]
        keys, accounts = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else self._none()
        order = np.argsort(keys)
        self._of, self._keys, self._accounts = (number, after, upto), keys[order], accounts[order]

    def page(self, after: int, most: int) -> KeyPage | None:
        """None: `read` is to be called for keys after this one."""
        if self._of is None or not self._of[1] <= after < self._of[2]:
            return None
        begin = int(np.searchsorted(self._keys, after, "right"))
        end = begin + most
        if end >= len(self._keys):
            end, last = len(self._keys), self._of[2]
        else:
            last = int(self._keys[end - 1])
            end = int(np.searchsorted(self._keys, last, "right"))  # all accounts of one key
        part = slice(begin, end)
        return KeyPage(KeyRows(self._keys[part], self._accounts[part]), last)

    @staticmethod
    def _none() -> tuple[Keys, NDArray[np.int64]]:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _all_ids(connection: Connection, pages: Pages) -> Iterator[tuple[NDArray[np.int64], Packed]]:
    """By account; each part is a query of its own, so that no reader stands in the way of the log's end."""
    after = 0
    while len((part := pages.ids(connection, after, _READ))[0]):
        yield part
        after = int(part[0][-1])


def _between(ids: tuple[NDArray[np.int64], Packed], after: int, upto: int) -> tuple[Keys, NDArray[np.int64]]:
    account, card_id = ids
    keys = keys_of(*card_id)
    wanted = (keys > after) & (keys <= upto)
    return keys[wanted], account[wanted]
