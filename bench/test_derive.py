"""A person's row -> card id: our ways in, our tiers, and the peers."""

from __future__ import annotations

import pyarrow
import pytest
from contender import Contender, by_name, peers
from kernel import Rows
from peers import gmssl_python, openssl_usual, openssl_well
from people import SECURITY_KEY
from tier import tiers

from ehc.crypto import Batch, KeyHandle, derive_batch

KEY = KeyHandle(SECURITY_KEY)


def arrow(rows: list[tuple[str, str, str]]) -> list[pyarrow.Array]:
    """The same rows as three columns of text."""
    return [pyarrow.array(column, pyarrow.string()) for column in zip(*rows, strict=True)]


CONTENDERS = by_name(
    Contender("the kernel alone, in C", 100_000, prepare=Rows, run=Rows.derive, answer=Rows.card_ids),
    Contender(
        "ehc, packed batch",
        100_000,
        prepare=Batch.pack,
        run=lambda batch: derive_batch(batch, KEY),
        answer=lambda derived: derived.hex().card_id,
    ),
    Contender(
        "ehc, list of tuples",
        100_000,
        run=lambda rows: derive_batch(rows, KEY),
        answer=lambda derived: derived.hex().card_id,
    ),
    Contender(
        "ehc, Arrow columns",
        100_000,
        prepare=arrow,
        run=lambda columns: derive_batch(Batch.from_columns(*columns), KEY),
        answer=lambda derived: derived.hex().card_id,
    ),
    Contender("ehc, tuples to hex strings", 100_000, run=lambda rows: derive_batch(rows, KEY).hex().card_id),
    Contender(
        "ehc, one call a person",
        10_000,
        run=lambda rows: [derive_batch([row], KEY) for row in rows],
        answer=lambda all_derived: [derived.hex().card_id[0] for derived in all_derived],
    ),
    tiers("derive", share=100_000, portable_share=20_000),
    peers(
        lambda peer, rows: peer.derive(rows, SECURITY_KEY),
        {openssl_well: 10_000, openssl_usual: 5_000, gmssl_python: 100},
        job="derive",
        optional=2_000,
    ),
)


@pytest.mark.parametrize("name", CONTENDERS)
def test_card_ids(measure, name, rows, card_ids):
    answer = measure("derive", "persons", CONTENDERS[name], rows)
    assert answer == card_ids[: len(answer)]
    assert len(answer) == CONTENDERS[name].share
