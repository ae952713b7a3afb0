"""DEMANDS.md names tests and files that exist."""

from pathlib import Path

from checklists import demands, missing_of

ROWS = demands(Path(__file__).parent / "DEMANDS.md", "D")


def test_every_demand_names_what_shows_it() -> None:
    assert [one for row in ROWS for one in missing_of(row)] == []


def test_the_rows_are_numbered_through() -> None:
    assert [row[0] for row in ROWS] == [f"D{number}" for number in range(1, 27)]
