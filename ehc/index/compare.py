"""How two texts of one field may agree, as tests with names that both ways of matching know: here in plain Python, in
`store/splink_batch.py` in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

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


def _number(record: Record) -> str:
    return next((one.value for one in record.identifiers if one.domain == RESIDENT_ID and one.until is None), "")


COLUMNS: Mapping[str, Callable[[Record], str]] = {
    "name": lambda record: folded(record.name),
    "latin": lambda record: latin(record.name),
    "sex": attrgetter("sex"),
    "birth_date": attrgetter("birth_date"),
    "phone": attrgetter("phone"),
    "address": attrgetter("address"),
    "number": _number,
    "mother": lambda record: folded(record.mother),
    "birth_order": attrgetter("birth_order"),
}
"""Of the model for people of China (chinese.py)."""


def view(record: Record) -> View:
    return {name: column(record) for name, column in COLUMNS.items()}


class Glance(dict[str, str]):
    """A view of which each column is made when it is first looked at."""

    __slots__ = ("_record",)

    def __init__(self, record: Record) -> None:
        self._record = record

    def __missing__(self, name: str) -> str:
        found = self[name] = COLUMNS[name](self._record)
        return found
