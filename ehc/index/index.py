"""The systems of the index, joined over one store."""

from __future__ import annotations

from typing import NamedTuple

from ehc.index.batch import Batch
from ehc.index.finding import Finder
from ehc.index.index_store import IndexStore
from ehc.index.loading import Loader
from ehc.index.master import MasterIndex
from ehc.index.reviewing import Reviewing
from ehc.index.rulebook import Rulebook


class Index(NamedTuple):
    store: IndexStore
    book: Rulebook
    master: MasterIndex
    finder: Finder
    reviewing: Reviewing
    loader: Loader
    batch: Batch


def index_over(store: IndexStore) -> Index:
    book = Rulebook(store)
    parts = (MasterIndex(store, book), Finder(store, book), Reviewing(store, book), Loader(store, book))
    return Index(store, book, *parts, Batch(store, book))
