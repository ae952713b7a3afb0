"""ehc demo: the main job runs once through on a machine that has nothing but the package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ehc.cli import demo as module


def run_demo(*arguments: str, cwd, environment=None):
    command = [sys.executable, "-m", "ehc.cli", "demo", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_every_step_is_done_and_reported_with_its_time(tmp_path):
    ran = run_demo("--people", "3000", "--keep", "kept", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if " ms  " in line]
    assert [title for title, _ in module.STEPS] == [line.split(" ms  ")[1][:31].strip() for line in lines]
    for reason in ("replayed, step 8", "forged, step 4", "not_issued, step 4", "scene, step 7", "expired, step 5"):
        assert f"refused: {reason}" in ran.stdout
    assert "2,998 cards" in ran.stdout
    with Image.open(tmp_path / "kept" / "photo.png") as photo:
        assert photo.size == (960, 720)


def test_nothing_is_left_behind_or_taken_from_the_user(tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path), "HOME": str(tmp_path / "home"), "EHC_PORT": "not a number"}
    ran = run_demo("--people", "10", cwd=tmp_path, environment=environment)
    assert ran.returncode == 0, ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_runs_from_a_folder_that_holds_another_ehc(tmp_path):
    """As the README's command does: in a clone, whose own ehc/ has no compiled core."""
    (tmp_path / "ehc").mkdir()
    (tmp_path / "ehc" / "__init__.py").write_text("raise ImportError('not this one')")
    command = [Path(sys.executable).parent / "ehc", "demo", "--people", "10"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr


def test_a_folder_with_something_in_it_is_not_touched(tmp_path):
    (tmp_path / "mine").write_text("kept")
    ran = run_demo("--keep", ".", cwd=tmp_path)
    assert (ran.returncode, [path.name for path in tmp_path.iterdir()]) == (3, ["mine"])
    assert "name a new folder" in ran.stderr


def test_a_step_that_goes_wrong_ends_the_demo_and_stops_its_services(tmp_path, monkeypatch):
    monkeypatch.setattr(module.Demo, "refused", lambda *_: module._expect(False, "nothing was refused"))
    started = []
    start = module.start_service
    monkeypatch.setattr(module, "start_service", lambda settings: started.append(start(settings)) or started[-1])
    with pytest.raises(module.DemoFailed, match="nothing was refused"):
        module.run(tmp_path, 10)
    assert [process.poll() is None for process, _ in started] == [False]
