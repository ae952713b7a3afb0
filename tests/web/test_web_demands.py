"""DEMANDS.md names tests and commands that exist."""

from pathlib import Path

import pytest
from checklists import demands, missing_of

ROWS = demands(Path(__file__).parent / "DEMANDS.md", "DHV")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_demand_names_what_shows_it(row: list[str]) -> None:
    assert missing_of(row) == []


def test_the_rows_are_numbered_through() -> None:
    for letter, last in (("D", 26), ("H", 4), ("V", 11)):
        assert [row[0] for row in ROWS if row[0][0] == letter] == [f"{letter}{number}" for number in range(1, last + 1)]
