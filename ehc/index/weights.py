"""Fellegi–Sunter: how many bits for one person each field's agreement is worth, said field by field.

A level of a comparison has two probabilities: m, that two records of one person reach it, and u, that two records of
two persons do. Its weight is log2(m/u). A field that either record lacks weighs nothing. Where two share a value that
many have, u is that value's share among all (term frequency). The sum, with the prior, is the log-odds of one person,
in bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import Any

import msgspec

from ehc.errors import InputError
from ehc.index.compare import Test, View, test_of

NOTHING = "unknown"
ELSE = "differs"


class Level(msgspec.Struct, frozen=True):
    name: str
    test: str  # compare.TESTS
    columns: tuple[str, ...]
    m: float
    u: float
    limit: float = 0.0


class Comparison(msgspec.Struct, frozen=True):
    """Levels from the strictest; the first that holds counts. m_else, u_else: where none does."""

    field: str
    needs: tuple[str, ...]  # columns that both must have
    levels: tuple[Level, ...]
    m_else: float
    u_else: float
    frequency: str = ""  # the column whose shares take the place of u at the first level


class Model(msgspec.Struct, frozen=True):
    """prior: the share of pairs that are one person. upper, lower: bits from which a pair is merged, is reviewed."""

    name: str
    comparisons: tuple[Comparison, ...]
    prior: float
    upper: float
    lower: float
    frequencies: Mapping[str, Mapping[str, float]] = {}
    rarest: Mapping[str, float] = {}  # the share of a value that stands in no table


class Part(msgspec.Struct, frozen=True):
    """What one field says. level: of the comparison, differs or unknown."""

    field: str
    level: str
    bits: float


class Score:
    """What two records say for one person. A field is compared when it is asked for, and once: where a strong number
    decides most are not."""

    __slots__ = ("_found", "_one", "_other", "_scorer")

    def __init__(self, scorer: Scorer, one: View, other: View) -> None:
        self._scorer, self._one, self._other = scorer, one, other
        self._found: dict[int, Part] = {}

    def _part(self, place: int) -> Part:
        part = self._found.get(place)
        if part is None:
            part = self._found[place] = self._scorer.comparisons[place].part(self._one, self._other)
        return part

    @property
    def parts(self) -> tuple[Part, ...]:
        """In the order of the model."""
        return tuple(map(self._part, range(len(self._scorer.comparisons))))

    @property
    def bits(self) -> float:
        """The prior and all parts together."""
        return self._scorer.prior + sum(part.bits for part in self.parts)

    def level(self, field: str) -> str:
        place = self._scorer.places.get(field)
        return NOTHING if place is None else self._part(place).level

    @property
    def probability(self) -> float:
        return float(1 / (1 + 2 ** -max(-1000.0, min(1000.0, self.bits))))


def to_json(model: Model) -> str:
    return msgspec.json.encode(model).decode()


def from_json(text: str | bytes) -> Model:
    """Raises InputError for what is no model."""
    try:
        model = msgspec.json.decode(text, type=Model)
    except msgspec.DecodeError as error:
        raise InputError(f"model: {error}") from error
    for share in [model.prior, *(value for one in model.comparisons for value in _shares(one))]:
        if not 0 < share < 1:
            raise InputError(f"model: {share} is no share between 0 and 1")
    return model


def _shares(comparison: Comparison) -> list[float]:
    levels = [share for level in comparison.levels for share in (level.m, level.u)]
    return [*levels, comparison.m_else, comparison.u_else]


class Scorer:
    """A model, ready to score pairs one after another."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.prior = log2(model.prior / (1 - model.prior))
        self.comparisons = [_Prepared(one, model) for one in model.comparisons]
        self.places = {one.field: place for place, one in reversed([*enumerate(model.comparisons)])}

    def score(self, one: View, other: View) -> Score:
        return Score(self, one, other)

    def levels(self, one: View, other: View) -> list[int]:
        """A comparison each: the number of its level, -1 where a value is missing."""
        return [comparison.level(one, other) for comparison in self.comparisons]


class _Prepared:
    """A comparison with its tests and parts at hand: a part is made once, and again only for a term's frequency."""

    def __init__(self, comparison: Comparison, model: Model) -> None:
        self._needs = comparison.needs
        self._tests: Sequence[Test] = [test_of(one.test, one.columns, one.limit) for one in comparison.levels]
        weights = [(one.name, log2(one.m / one.u)) for one in comparison.levels]
        weights.append((ELSE, log2(comparison.m_else / comparison.u_else)))
        self._parts = [Part(comparison.field, name, bits) for name, bits in weights]
        self._unknown = Part(comparison.field, NOTHING, 0.0)
        self._column = comparison.frequency
        self._shares: Mapping[str, float] = model.frequencies.get(self._column, {})
        self._rarest = model.rarest.get(self._column, 0.0)
        self._m = comparison.levels[0].m if comparison.levels else 1.0

    def level(self, one: View, other: View) -> int:
        for name in self._needs:
            if not one[name] or not other[name]:
                return -1
        for number, test in enumerate(self._tests):
            if test(one, other):
                return number
        return len(self._tests)

    def part(self, one: View, other: View) -> Part:
        number = self.level(one, other)
        if number < 0:
            return self._unknown
        part = self._parts[number]
        if number or not self._column:
            return part
        share = self._shares.get(one[self._column], self._rarest)
        return Part(part.field, part.level, log2(self._m / share)) if share else part


def as_dict(score: Score) -> dict[str, Any]:
    """For JSON: rounded, field by field."""
    parts = [{"field": one.field, "level": one.level, "bits": round(one.bits, 2)} for one in score.parts]
    return {"bits": round(score.bits, 2), "probability": score.probability, "parts": parts}
