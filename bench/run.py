"""The whole bench in one command, some three minutes: measure, judge, keep the result, regenerate the tables.

    python bench/run.py [--laps 7] [--people 1000000] [--keep FOLDER] [--accept]

Exit code 1 when the gate fails; then nothing is kept, unless --accept says that the loss is meant. The tables are
regenerated only from the folder of the repository.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gate
import results
import table


def measure(laps: int, people: int) -> list[results.Lap]:
    """Run the suite. Raises CalledProcessError when a bench gave a wrong answer."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "benchmark.json"
        command = [sys.executable, "-m", "pytest", str(table.ROOT / "bench"), "-q", f"--benchmark-json={file}"]
        subprocess.run([*command, f"--laps={laps}", f"--people={people}"], check=True, cwd=table.ROOT)
        return results.laps(json.loads(file.read_text("utf-8")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laps", type=int, default=7)
    parser.add_argument("--people", type=int, default=1_000_000, help="rows of the file for `ehc derive`")
    parser.add_argument("--keep", type=Path, default=results.FOLDER, help="folder of the results")
    parser.add_argument("--accept", action="store_true", help="keep the result although the gate fails")
    options = parser.parse_args()
    try:
        result = results.describe(measure(options.laps, options.people))
    except subprocess.CalledProcessError as error:
        return error.returncode
    good = gate.report(result, results.load(results.path(result, options.keep)))
    if good or options.accept:
        file = results.keep(result, options.keep)
        print(f"kept: {file.name}")
        if options.keep == results.FOLDER:
            table.write(result)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
