"""Splink on DuckDB with our weights: the same pairs have the same bits, the same records become the same persons, and
what it trains is a model that works (extra `index`)."""

from pathlib import Path

import msgspec
import pytest
from index_rooms import Room, act, make_room

from ehc.cli.index_train import Engine, pairs_by_splink, trained
from ehc.config import Settings
from ehc.errors import InputError
from ehc.index.chinese import MODEL
from ehc.index.compare import view
from ehc.index.domain import visit_card
from ehc.index.generate import HOSPITALS, Population
from ehc.index.index import Index, index_over
from ehc.index.keys import BLOCKS, blocks
from ehc.index.lines import columns_of, record_of
from ehc.index.weights import Scorer, to_json
from ehc.store import splink_batch
from ehc.wiring.stores import open_store

pytestmark = pytest.mark.filterwarnings("ignore")  # of Splink's and DuckDB's own


def unmatched(home: Path, persons: int) -> Index:
    """A population that was loaded by its numbers alone: weights merge nothing, and are then as they should be."""
    stores = open_store(Settings(home=str(home)))
    room: Room = make_room(stores, domains=False)
    for number in range(HOSPITALS):
        room.master.add_domain(visit_card(f"G{number:02}", "院", 1))
    room.store.set_model(to_json(msgspec.structs.replace(MODEL, name="none", upper=1e9, lower=1e9)), 1, "t")
    domains = room.book.now().domains
    room.loader.load(columns_of(record_of(domains, line) for line in Population(persons, 4).rows()), act(1))
    room.store.set_model(to_json(MODEL), 2, "t")
    return index_over(stores.index)


def persons_of(index: Index) -> dict[int, int]:
    return {one.record: one.root for one in index.batch.everything()}


def test_splink_and_plain_python_come_to_the_same_persons(tmp_path: Path) -> None:
    plain, splink = (unmatched(tmp_path / name, 1_500) for name in ("plain", "splink"))
    before = persons_of(plain)
    assert persons_of(splink) == before
    pairs = list(pairs_by_splink(splink))
    done = plain.batch.run(act(2)), splink.batch.run(act(2), pairs)
    assert done[0].merged == done[1].merged > 3
    assert done[0].reviews == done[1].reviews
    assert persons_of(plain) == persons_of(splink) != before
    _the_same_bits(splink)
    model = trained(splink, Engine.SPLINK, 1)
    assert model.comparisons != MODEL.comparisons
    assert all(level.m > level.u for one in model.comparisons for level in one.levels[:1])
    with pytest.raises(InputError, match="at least 100 pairs"):
        splink_batch.train(MODEL, {}, {}, BLOCKS, 1)


def _the_same_bits(index: Index) -> None:
    bodies = {one.record: one.body for one in index.batch.everything()}
    views = {number: view(body) for number, body in bodies.items()}
    keys = {number: {kind: str(key) for kind, key in blocks(body)} for number, body in bodies.items()}
    found = splink_batch.score(MODEL, views, keys, -50.0)
    ours = Scorer(MODEL)
    assert len(found) > 200
    for one, other, bits in found:
        assert bits == pytest.approx(ours.score(views[one], views[other]).bits, abs=1e-6)
