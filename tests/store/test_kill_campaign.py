"""A short part of the campaign; kill_campaign.py says how to run the long one."""

import random
from pathlib import Path

import pytest
import servers
from kill_campaign import Campaign, kill_server, kill_writer


def test_what_sqlite_acknowledged_survives_a_kill_9_of_the_writer(tmp_path: Path) -> None:
    campaign = Campaign(f"sqlite:///{tmp_path / 'a.db'}", tmp_path, kill_writer(random.Random(2)))
    campaign.run(rounds=5)
    assert campaign.whole + campaign.absent == 5


@pytest.mark.parametrize("victim", ["writer", "server"])
def test_what_postgresql_acknowledged_survives_a_kill_9(tmp_path: Path, victim: str) -> None:
    with servers.postgres(tmp_path) as server:
        chance = random.Random(3)
        stop = kill_server(chance, server) if victim == "server" else kill_writer(chance)
        campaign = Campaign(server.create("campaign"), tmp_path, stop)
        campaign.run(rounds=2)
    assert campaign.whole + campaign.absent == 2
