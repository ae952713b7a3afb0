"""A short part of the races; one_winner.py says how to run the long ones."""

from pathlib import Path

from one_winner import races


def test_of_two_that_race_for_a_code_exactly_one_wins(tmp_path: Path) -> None:
    found = {name: (codes, sum(won)) for name, codes, won in races(tmp_path, codes=5_000, over_http=50)}
    assert len(found) == 4
    assert all(codes == won for codes, won in found.values())
