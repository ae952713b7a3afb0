"""DEMANDS.md names tests and files that exist."""

import re
from pathlib import Path

from checklists import TESTS

ROOT = Path(__file__).parents[2]
TEXT = (Path(__file__).parent / "DEMANDS.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:5]] for line in TEXT.splitlines() if re.match(r"\| D\d", line)]


def test_every_demand_names_what_shows_it() -> None:
    for number, _, _, shown in ROWS:
        names = re.findall(r"`([^`]+)`", shown)
        assert names, number
        assert [name for name in names if name not in TESTS and not (ROOT / name).is_file()] == [], number


def test_the_rows_are_numbered_through() -> None:
    assert [row[0] for row in ROWS] == [f"D{number}" for number in range(1, 27)]
