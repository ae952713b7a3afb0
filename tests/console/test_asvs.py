"""ASVS.md names tests that exist, and says so where there is none."""

import re
from pathlib import Path

import pytest
from checklists import TESTS

CHECKLIST = (Path(__file__).parent / "ASVS.md").read_text("utf-8")
ROWS = [line.split("|")[1:5] for line in CHECKLIST.splitlines() if re.match(r"\| \d", line)]
WITHOUT_A_TEST = ("2.2.2", "2.7", "5.3.8", "7.3.4", "9.2.1")
"""What is not met, or not there, or a matter of deployment."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_every_test_that_a_row_names_exists(row: list[str]) -> None:
    number, _, how, tests = (cell.strip() for cell in row)
    named = re.findall(r"`(test_\w+)`", tests)
    assert set(named) <= TESTS
    assert how
    assert bool(named) is not number.startswith(WITHOUT_A_TEST)


def test_every_chapter_that_applies_is_there() -> None:
    chapters = {row[0].strip().split(".")[0] for row in ROWS}
    assert chapters == {"2", "3", "4", "5", "7", "8", "9", "13", "14"}
    assert len(ROWS) > 60
