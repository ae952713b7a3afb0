"""A short part of the campaign; registry_kills.py says how to run the long one."""

import pytest
from registry_kills import run


@pytest.mark.parametrize(
    ("what", "kind", "kills"),
    [("import", "sqlite", 4), ("import", "postgres", 3), ("sync", "sqlite", 2), ("sync", "postgres", 2)],
)
def test_whoever_imports_or_synchronises_may_be_killed_at_any_moment(what: str, kind: str, kills: int) -> None:
    assert f"{kills} kills" in run(what, kind, kills, seed=7)
