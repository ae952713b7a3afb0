"""Splink scores with our weights what we score in Python: the same pairs have the same bits (extra `index`)."""

import pytest

from ehc.index.chinese import MODEL
from ehc.index.compare import view
from ehc.index.domain import Domains, visit_card
from ehc.index.generate import Population
from ehc.index.keys import blocks
from ehc.index.lines import record_of
from ehc.index.weights import Scorer
from ehc.store import splink_batch


@pytest.mark.filterwarnings("ignore")  # of Splink's and DuckDB's own
def test_the_same_pairs_have_the_same_bits() -> None:
    domains = Domains([visit_card(f"G{number:02}", "医院", 0) for number in range(40)])
    records = dict(enumerate(record_of(domains, line) for line in Population(1_500, 4).rows()))
    views = {number: view(record) for number, record in records.items()}
    keys = {number: {kind: str(key) for kind, key in blocks(record)} for number, record in records.items()}
    found = splink_batch.score(MODEL, views, keys, -50.0)
    ours = Scorer(MODEL)
    assert len(found) > 200
    for one, other, bits in found:
        assert bits == pytest.approx(ours.bits(views[one], views[other]), abs=1e-6)
