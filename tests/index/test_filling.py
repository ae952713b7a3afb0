"""Which keys an index that is being filled may have."""

import numpy as np
import pytest

from ehc.index.filling import FEW, MANY, Added, Filling

KEYS = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 20_000, dtype=np.int64)
NEIGHBOURS = np.arange(10_000, dtype=np.int64) << (64 - FEW)  # eight of them share a byte


@pytest.mark.parametrize("bits", [FEW, MANY])
def test_no_key_that_is_there_is_missed_and_hardly_another_is_named(bits: int) -> None:
    filling = Filling(bits)
    assert not len(filling.perhaps(KEYS, 1))
    filling.add(Added(1, 5, KEYS[:10_000]))
    filling.add(Added(5, 9, NEIGHBOURS))
    for keys in (KEYS[:10_000], NEIGHBOURS):
        assert np.array_equal(filling.perhaps(keys, 9), keys)
    assert len(filling.perhaps(KEYS[10_000:], 9)) < 20


def test_once_somebody_else_adds_all_keys_are_asked_for() -> None:
    filling = Filling()
    filling.add(Added(1, 5, KEYS[:10]))
    filling.add(Added(7, 9, KEYS[10:20]))
    assert np.array_equal(filling.perhaps(KEYS, 9), KEYS)
