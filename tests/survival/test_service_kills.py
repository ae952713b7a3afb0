"""A short part of the campaign; service_kills.py says how to run the long one."""

from pathlib import Path

import pytest
from service_kills import campaign


@pytest.mark.parametrize("embedded", [False, True])
def test_what_a_service_acknowledged_survives_a_kill_9_of_any_of_its_parts(tmp_path: Path, embedded: bool) -> None:
    with campaign(tmp_path, seed=7, embedded=embedded) as found:
        found.run(kills=2 if embedded else 3, seed=7)
    assert found.kills == ({"worker": 2} if embedded else {"worker": 1, "redis": 1, "postgres": 1})
    assert found.seen.lives > 3
    assert found.seen.accepted
