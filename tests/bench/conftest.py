"""Puts bench/ on the path: its modules import each other by their own names, as its scripts are run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
