"""What libehcsdf.so has acknowledged survives kill -9: a short campaign of sdf_kills.py, and that it notices a loss."""

import pytest
from sdf_kills import campaign, judge


def test_nothing_that_was_acknowledged_is_lost_or_torn(tmp_path, monkeypatch):
    monkeypatch.setenv("EHC_SDF_HOME", str(tmp_path / "home"))
    assert campaign(tmp_path / "home", kills=5) > 5


def test_a_loss_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setenv("EHC_SDF_HOME", str(tmp_path / "home"))
    campaign(tmp_path / "home", kills=1)
    with pytest.raises(AssertionError, match="acknowledged was 17"):
        judge(tmp_path / "home", [], ({6: "17"}, set()))
    with pytest.raises(AssertionError, match="KEK 900 was acknowledged and is lost"):
        judge(tmp_path / "home", [], ({}, {900}))
