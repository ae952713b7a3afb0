"""A short part of the campaign; service_kills.py says how to run the long one."""

from pathlib import Path

from service_kills import VICTIMS, campaign


def test_what_a_service_acknowledged_survives_a_kill_9_of_any_of_its_parts(tmp_path: Path) -> None:
    with campaign(tmp_path, seed=7) as found:
        found.run(kills=3, seed=7)
    assert found.kills == dict.fromkeys(VICTIMS, 1)
    assert found.seen.lives > 3
    assert found.seen.accepted
