"""A short part of the campaign; keyring_kills.py says how to run the long one."""

import re

from keyring_kills import campaign


def test_kill_9_loses_and_doubles_nothing_of_keyring_and_log(tmp_path):
    said = campaign(tmp_path, points=25, seed=3)
    kills, through = map(int, re.findall(r"(\d+) (?:kills|came)", said))
    assert kills + through == 25
    assert kills > 5
