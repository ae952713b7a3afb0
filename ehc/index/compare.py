"""How two texts of one field may agree, as tests with names that both ways of matching know: here in plain Python, in
`store/splink_batch.py` in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from ehc.errors import InputError
from ehc.index.domain import RESIDENT_ID
from ehc.index.names import fits, folded, latin
from ehc.index.record import Record

View = Mapping[str, str]
"""Columns of a record as they are compared; empty where nothing is known."""
Test = Callable[[View, View], bool]


def _equal(columns: tuple[str, ...], _limit: float) -> Test:
    (name,) = columns
    return lambda one, other: one[name] == other[name]


def _edit(columns: tuple[str, ...], limit: float) -> Test:
    (name,) = columns
    most = int(limit)
    return lambda one, other: DamerauLevenshtein.distance(one[name], other[name], score_cutoff=most) <= most


def _jaro_winkler(columns: tuple[str, ...], limit: float) -> Test:
    (name,) = columns
    return lambda one, other: JaroWinkler.similarity(one[name], other[name], score_cutoff=limit) >= limit


def _crossed(columns: tuple[str, ...], _limit: float) -> Test:
    """First and second column changed places."""
    first, second = columns
    return lambda one, other: one[first] == other[second] and one[second] == other[first]


def _prefix(columns: tuple[str, ...], limit: float) -> Test:
    (name,) = columns
    size = int(limit)
    return lambda one, other: one[name][:size] == other[name][:size]


def _fits(columns: tuple[str, ...], _limit: float) -> Test:
    (name,) = columns
    return lambda one, other: fits(one[name], other[name])


TESTS: Mapping[str, Callable[[tuple[str, ...], float], Test]] = {
    "equal": _equal,
    "edit": _edit,  # Damerau-Levenshtein distance, at most
    "jaro_winkler": _jaro_winkler,  # similarity, at least
    "crossed": _crossed,
    "prefix": _prefix,  # as many characters
    "fits": _fits,
}


def test_of(name: str, columns: tuple[str, ...], limit: float) -> Test:
    """Raises InputError for a test that there is not."""
    if name not in TESTS:
        raise InputError(f"model: no test is called {name}; there are {', '.join(TESTS)}")
    return TESTS[name](columns, limit)


def view(record: Record) -> View:
    """The columns of the model for people of China (chinese.py)."""
    name, mother = record.name, record.mother
    numbers = [one.value for one in record.identifiers if one.domain == RESIDENT_ID and one.until is None]
    return {
        "name": folded(name),
        "latin": latin(name),
        "sex": record.sex,
        "birth_date": record.birth_date,
        "phone": record.phone,
        "address": record.address,
        "number": numbers[0] if numbers else "",
        "mother": folded(mother),
        "birth_order": record.birth_order,
    }
