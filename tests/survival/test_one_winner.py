"""A short part of the races; one_winner.py and http_races.py say how to run the long ones."""

from pathlib import Path

import pytest
from http_races import WAYS, Races, campaign
from one_winner import races


def test_of_two_that_race_for_a_code_exactly_one_wins(tmp_path: Path) -> None:
    found = {name: (codes, sum(won)) for name, codes, won in races(tmp_path, codes=2_000)}
    assert len(found) == 2
    assert all(codes == won for codes, won in found.values())


@pytest.mark.parametrize("way", WAYS)
def test_of_two_that_race_over_http_for_a_code_exactly_one_wins(way: str, tmp_path: Path) -> None:
    raced = Races(one=70)  # of an earlier run
    blocks = sum(1 for _ in campaign(way, tmp_path / "races", raced, 570))
    assert blocks == 5
    assert raced.one + raced.two == 570
