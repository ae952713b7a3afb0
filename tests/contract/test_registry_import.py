"""A run over an export, into every store: what is done in lanes comes to what one after another does."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from invented_cards import columns as new_cards
from physical import NOW, Room, lines, number, record, room

from ehc.registry.registry import columns
from ehc.store import bulk_postgres
from ehc.store.import_run import ImportJob, opened
from ehc.store.registry_files import Missing
from ehc.wiring.stores import Stores

PEOPLE, ROWS = 60, 240


@pytest.fixture
def at(stores: Stores) -> Room:
    return room(stores)


def test_of_a_document_under_many_names_the_first_line_s_counts(at: Room, tmp_path: Path) -> None:
    """Its rows are in several blocks, so several transactions have them in hand at once."""
    file = tmp_path / "cards.csv"
    rows = [record(i % PEOPLE, number=number(i)) for i in range(ROWS)]
    rows[PEOPLE:] = [one._replace(name=f"测试{i // PEOPLE}") for i, one in enumerate(rows[PEOPLE:], PEOPLE)]
    file.write_text(lines(rows), "utf-8")
    job = ImportJob(file=file, rejects=tmp_path / "rejects.csv", missing=Missing(), block_bytes=1024, checkpoint=0)
    with opened(job, at.registry, lambda: NOW, "key") as run:
        blocks = len(list(run))
    assert blocks > PEOPLE / 12
    assert Counter(run.tally) == {"new": ROWS, "electronic": PEOPLE}
    refused = job.rejects.read_text("utf-8").splitlines()[1:]
    assert [int(line.partition(",")[0]) for line in refused] == list(range(PEOPLE + 2, ROWS + 2))
    for i in range(0, ROWS, 7):
        kept = at.stores.registry.find(number(i))
        assert kept is not None
        assert (kept.account is None) is (i >= PEOPLE)
        if kept.account is not None:
            electronic = at.stores.accounts.card_of_account(kept.account)
            assert electronic is not None
            assert electronic.identity == kept.card.holder


def test_a_document_is_in_one_lane_and_every_card_in_some(at: Room) -> None:
    more = [record(i, number=f"B{i}", name="测试") for i in range(0, PEOPLE, 2)]
    other = [record(900, id_type="03", id_number=text) for text in ("E00000091", "E00000092")]
    prepared = at.registry.intake.prepare(*columns([*map(record, range(PEOPLE)), *more, *other]))
    lanes = prepared.lanes(2)
    assert sorted(np.concatenate(lanes).tolist()) == list(range(len(prepared.cards)))
    assert min(map(len, lanes)) > PEOPLE / 4
    documents = [{prepared.cards[int(place)][3:5] for place in lane} for lane in lanes]
    assert not documents[0] & documents[1]


def test_a_batch_takes_as_many_blocks_of_numbers_as_it_needs(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_postgres, "BLOCK", 7)
    found = stores.accounts.register_columns(new_cards(range(20)), NOW, "desk")
    assert (len(set(found.account.tolist())), dict(found.others)) == (20, {})
    for account in found.account.tolist():
        assert [(event.at, event.by) for event in stores.accounts.history(account)] == [(NOW, "desk")]
