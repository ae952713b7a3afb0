"""Puts bench/ on the path: its modules import each other by their own names, as its scripts are run."""

import fcntl
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import compiled


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    """Our kernels, compiled once for all workers, and for the processes that they start."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "bench-kernels"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = folder / "ehc.so"
        os.environ[compiled.BUILT] = str(built if built.exists() else compiled.build_ours(folder))
    return built
