"""The bench of the TCP machine runs, and compares its answers."""

import re
import subprocess
import sys
from pathlib import Path


def test_every_way_that_is_measured_gives_the_same_cards():
    command = [sys.executable, "-m", "bench.machine", "--quick", "--rows", "2000"]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"serial client [\d,]+/s\n8 × 1024: .*\n8 × 4096: ", done.stdout)
