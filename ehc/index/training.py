"""Weights from the records themselves: u from pairs taken at random, m and the prior by EM over pairs of blocks.

Pairs are counted by their *pattern*, the level of each comparison (-1 where a value is missing): EM works on some
thousands of patterns, however many pairs there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random

import msgspec
import numpy as np
from numpy.typing import NDArray

from ehc.errors import InputError
from ehc.index.compare import View
from ehc.index.weights import Comparison, Level, Model, Scorer

ROUNDS = 200
SMALLEST = 1e-9
CHANGE = 1e-7
MOST_VALUES = 20_000
"""Values of a column that keep a share of their own; the rarer ones share one."""
Patterns = Mapping[tuple[int, ...], int]


def patterns(scorer: Scorer, pairs: Iterable[tuple[View, View]]) -> Patterns:
    return Counter(tuple(scorer.levels(one, other)) for one, other in pairs)


def random_pairs(views: Sequence[View], count: int, seed: int) -> Iterable[tuple[View, View]]:
    """Of two records each; hardly any of them are one person's."""
    random = Random(seed)  # noqa: S311  a sample, no secret
    for _ in range(count):
        one, other = random.sample(range(len(views)), 2)
        yield views[one], views[other]


def train(model: Model, views: Sequence[View], likely: Patterns, at_random: Patterns, truly: float) -> Model:
    """The model with weights of these records. likely: of pairs of blocks; truly: the share of all pairs that one may
    expect to be one person, where EM's share among the likely ones is not known to all. Raises InputError for too few.
    """
    if sum(likely.values()) < 100 or sum(at_random.values()) < 100:
        raise InputError("training: at least 100 pairs of each kind are needed")
    u = _shares(at_random, _start(model, "u"))
    m = expectation_maximisation(likely, _start(model, "m"), u)
    trained = tuple(_comparison(*one) for one in zip(model.comparisons, m, u, strict=True))
    return with_frequencies(msgspec.structs.replace(model, comparisons=trained, prior=truly), views)


def expectation_maximisation(
    likely: Patterns, m: list[NDArray[np.float64]], u: list[NDArray[np.float64]], share: float = 0.1
) -> list[NDArray[np.float64]]:
    """m of every level, u being known. Comparisons are taken as independent, given whether it is one person."""
    levels = np.array(list(likely), np.int64)
    counts = np.fromiter(likely.values(), np.float64, len(likely))
    for _ in range(ROUNDS):
        bits = np.full(len(levels), np.log(share / (1 - share)))
        for column, (mine, theirs) in enumerate(zip(m, u, strict=True)):
            known = levels[:, column] >= 0
            bits[known] += np.log(mine / theirs)[levels[known, column]]
        weight = counts / (1 + np.exp(-bits))
        new = [_weighted(levels[:, column], weight, old) for column, old in enumerate(m)]
        share = float(min(0.999, weight.sum() / counts.sum()))
        change = max(float(np.abs(a - b).max()) for a, b in zip(new, m, strict=True))
        m = new
        if change < CHANGE:
            break
    return m


def _weighted(levels: NDArray[np.int64], weight: NDArray[np.float64], old: NDArray[np.float64]) -> NDArray[np.float64]:
    known = levels >= 0
    sums = np.bincount(levels[known], weight[known], len(old))
    return np.maximum(sums / sums.sum(), SMALLEST) if sums.sum() > 0 else old


def _shares(counted: Patterns, start: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Of each level among random pairs; one that none of them reached keeps, at most, what the model says."""
    levels = np.array(list(counted), np.int64)
    counts = np.fromiter(counted.values(), np.float64, len(counted))
    found = []
    for column, before in enumerate(start):
        known = levels[:, column] >= 0
        sums = np.bincount(levels[known, column], counts[known], len(before))
        total = max(1.0, sums.sum())
        seen = np.where(sums >= 5, sums / total, np.minimum(before, 5 / total))
        found.append(np.maximum(seen / seen.sum(), SMALLEST))
    return found


def _start(model: Model, which: str) -> list[NDArray[np.float64]]:
    return [
        np.array([*(getattr(level, which) for level in one.levels), getattr(one, f"{which}_else")])
        for one in model.comparisons
    ]


def _comparison(old: Comparison, m: NDArray[np.float64], u: NDArray[np.float64]) -> Comparison:
    def level(before: Level, number: int) -> Level:
        return msgspec.structs.replace(before, m=_share(m[number]), u=_share(u[number]))

    levels = tuple(level(one, number) for number, one in enumerate(old.levels))
    return msgspec.structs.replace(old, levels=levels, m_else=_share(m[-1]), u_else=_share(u[-1]))


def _share(value: float) -> float:
    return float(min(max(value, SMALLEST), 1 - SMALLEST))


def with_frequencies(model: Model, views: Sequence[View]) -> Model:
    """With these records' shares of values; one that stands three times at least has its own."""
    frequencies, rarest = {}, {}
    for column in (one.frequency for one in model.comparisons if one.frequency):
        counted = Counter(value for view in views if (value := view[column]))
        total = max(1, sum(counted.values()))
        frequencies[column] = {value: n / total for value, n in counted.most_common(MOST_VALUES) if n > 2}
        rarest[column] = 2 / total
    return msgspec.structs.replace(model, frequencies=frequencies, rarest=rarest)
