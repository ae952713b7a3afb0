"""The suite runs, each contender giving the right answers; short here, and never judged by time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import compiled
import pytest
import results
import table

ROOT = Path(table.__file__).parents[1]


@pytest.mark.slow
@pytest.mark.usefixtures("ours")
def test_one_command_measures_judges_and_keeps(tmp_path):
    before = (ROOT / "README.md").read_bytes()
    ran = subprocess.run(
        [sys.executable, ROOT / "bench" / "run.py", "--laps=1", "--kernel-laps=2", "--people=5000",
         "--curve-rows=1000", "--curve-seconds=0.1", "--pairs=1", "--count=derive, one block", f"--keep={tmp_path}",
         "--accept"],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr  # 1: the gate, which short laps may miss
    files = list(tmp_path.glob("*.json"))
    assert len(files) == 1, (ran.stdout + ran.stderr)[-4000:]  # a wrong answer, or what ended the run, is said last
    (file,) = files
    kept = json.loads(file.read_text("utf-8"))
    assert file == results.path(kept, tmp_path)
    assert set(kept["groups"]) == {
        "derive", "check", "check E2", "one call", "make token", "sm3", "sm4-ecb", "derive a file",
        "SDK authorisation",
    }  # fmt: skip
    assert set(kept["kernels"]["jobs"]) == {job.name for job in compiled.jobs(64)}
    assert set(kept["curves"]) == {"rows", "threads", "memory"}
    assert kept["threads"]["pairs"] in (0, 1)
    assert "derive: ehc, packed batch / gmssl" in ran.stdout
    assert "portable" in kept["instructions"] or not shutil.which("valgrind")
    assert "not measured" not in ran.stdout
    assert " passed" in ran.stdout
    assert "skipped" not in ran.stdout
    assert all(len(one["per_second"]) == 1 for one in kept["groups"]["derive"]["contenders"].values())
    assert (ROOT / "README.md").read_bytes() == before
