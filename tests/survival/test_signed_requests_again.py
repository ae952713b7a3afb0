"""The short part of signed_requests.py."""

from pathlib import Path

import signed_requests


def test_no_request_that_is_changed_or_sent_again_is_let_in_over_restarts(tmp_path: Path) -> None:
    found = signed_requests.campaign(tmp_path, 8000, seed=1)
    assert found["changed let in"] == found["again let in"] == 0
    assert found["fresh let in"] == found["fresh"] > 0
