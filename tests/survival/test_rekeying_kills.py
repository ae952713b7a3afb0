"""A short part of the campaign; rekeying_kills.py says how to run the long one."""

import pytest
from rekeying_kills import campaign


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 40), ("postgres", 25)])
def test_whoever_re_keys_may_be_killed_at_any_moment(kind: str, kills: int) -> None:
    with campaign(kind, seed=7) as ran:
        ran.run(kills)
    assert sum(ran.at.values()) == kills
