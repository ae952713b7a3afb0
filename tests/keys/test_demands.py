"""DEMANDS.md names tests and commands that exist."""

import re
from pathlib import Path

import pytest
from checklists import TESTS

ROOT = Path(__file__).parents[2]
TEXT = (Path(__file__).parent / "DEMANDS.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:5]] for line in TEXT.splitlines() if re.match(r"\| [CKM]\d", line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_demand_names_what_shows_it(row: list[str]) -> None:
    shown = re.findall(r"`([^`]+)`", row[3])
    assert shown
    for name in shown:
        assert name in TESTS or (ROOT / name).is_file(), name


def test_the_rows_are_numbered_through() -> None:
    for letter in "CKM":
        numbers = [int(row[0][1:]) for row in ROWS if row[0][0] == letter]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 7
