"""Many records at once, in one transaction a block: what comes of them is what would come of single ones (block.py)."""

from __future__ import annotations

from collections import Counter

from ehc.cards.accounts import Act
from ehc.index.block import Block
from ehc.index.filling import MANY, Filling
from ehc.index.index_store import IndexStore
from ehc.index.lines import Columns
from ehc.index.master import put
from ehc.index.record import decode
from ehc.index.rulebook import Rulebook

BLOCK = 131_072
"""Records that one transaction takes best."""


class Loader:
    """Raises Unavailable; what was counted is committed."""

    def __init__(self, store: IndexStore, rulebook: Rulebook) -> None:
        self._store, self._book, self._filling = store, rulebook, Filling()

    def expect_many(self) -> None:
        """Files of records come: some hundreds of MiB make them quicker."""
        self._store.expect_many()
        self._filling = Filling(MANY)

    def load(self, rows: Columns, act: Act) -> Counter[str]:
        """How many were new, linked, updated, unchanged, held. The same block again changes nothing."""
        rules, done, at = self._book.now(), Counter[str](), 0
        with self._store.writing() as writer:
            block = Block(writer, rows, act, self._filling)
            for row in block.touched:
                block.take(at, row)
                at = row + 1
                if not block.take_first(row):
                    placed = put(block.at(row), rules, decode(rows.bodies[row]), block.keys_at(row), act)
                    done[placed.outcome] += 1
            block.take(at, len(rows))
            added = block.finish()
        self._filling.add(added)
        done["new"] += len(rows) - done.total()
        return +done
