"""The whole bench in one command, some five minutes: measure, judge, keep the result, regenerate the tables.

    python bench/run.py [--laps 7] [--kernel-laps 200] [--people 1000000] [--peer FOLDER]... [--keep FOLDER] [--accept]

Exit code 1 when the gate fails; then nothing is kept, unless --accept says that the loss is meant. The tables are
regenerated only from the folder of the repository.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import compiled
import gate
import instructions
import results
import table
import two_threads

from ehc.cli import bench
from ehc.errors import InputError


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """What has one thread stays on the last of the cores that were given; the first has most of the system's work."""
    given = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(given)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, given)


def measure(laps: int, people: int) -> list[results.Lap]:
    """Run the suite. Raises CalledProcessError when a bench gave a wrong answer."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "benchmark.json"
        command = [sys.executable, "-m", "pytest", str(table.ROOT / "bench"), "-q", f"--benchmark-json={file}"]
        subprocess.run([*command, f"--laps={laps}", f"--people={people}"], check=True, cwd=table.ROOT)
        return results.laps(json.loads(file.read_text("utf-8")))


def measure_kernels(laps: int, peers: list[Path], count: list[str]) -> tuple[dict[str, Any], instructions.Counts]:
    """The C bench, and the instruction counts where there is a valgrind."""
    with one_core():
        kernels = compiled.measure(laps, peers)
    print(compiled.table(kernels), flush=True)
    return kernels, instructions.count(only=count) if shutil.which("valgrind") else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laps", type=int, default=7)
    parser.add_argument("--kernel-laps", type=int, default=compiled.LAPS, help="laps of the C bench")
    parser.add_argument("--peer", type=Path, action="append", default=[], help="a built checkout; see compiled.py")
    parser.add_argument("--people", type=int, default=1_000_000, help="rows of the file for `ehc derive`")
    parser.add_argument("--curve-rows", type=int, default=10_000_000, help="largest batch of the scaling curves")
    parser.add_argument("--curve-seconds", type=float, default=60, help="how long `ehc bench`'s part takes, about")
    parser.add_argument("--pairs", type=int, default=two_threads.PAIRS, help="of one thread and two")
    parser.add_argument("--keep", type=Path, default=results.FOLDER, help="folder of the results")
    parser.add_argument("--accept", action="store_true", help="keep the result although the gate fails")
    parser.add_argument(
        "--count", action="append", default=[], metavar="JOB", help="count its instructions; default: all"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[compiled.BUILT] = str(compiled.ours_built(Path(folder)))
        return run(options)


def run(options: argparse.Namespace) -> int:
    try:
        kernels, counts = measure_kernels(options.kernel_laps, options.peer, options.count)
        with one_core():
            laps = measure(options.laps, options.people)
        short = bench.result(options.curve_seconds, options.curve_rows)
        pairs = two_threads.measure(options.pairs)
        print(two_threads.table(pairs))
        result = results.describe(laps, kernels=kernels, instructions=counts, curves=short["curves"], threads=pairs)
    except subprocess.CalledProcessError as error:
        return error.returncode
    good = gate.report(result, results.load(results.path(result, options.keep)))
    own = options.keep == results.FOLDER  # the counts stand beside the suite: kept when its own results are
    good = instructions.report(counts, accept=options.accept and own) and good
    if good or options.accept:
        file = results.keep(result, options.keep)
        print(f"kept: {file.name}")
        with contextlib.suppress(InputError):  # no matplotlib: no picture
            bench.draw(short, file.with_suffix(".png"), bench.pyplot())
        if own:
            table.write(result)
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except compiled.Failed as error:
        sys.exit(str(error))
