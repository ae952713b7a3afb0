"""How two threads do beside one, in interleaved pairs: our derivation, and what the machine itself allows.

    python bench/two_threads.py [--pairs 60]

The bounds are measured in the same pairs: a loop of independent additions that stays in registers (two cores do it
twice as fast; two threads of one core do not, nor do cores that others work on), and a copy between buffers larger than
the second-level cache (what the cores share). More cannot be had from two threads than the first gives. Each pair gives
one ratio; told are the median of these, and what the best tenth of the pairs reached.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from threading import Thread
from typing import Any

import compiled
import numpy as np
from people import SECURITY_KEY, population

from ehc.crypto import Batch, KeyHandle, derive_batch

PAIRS = 60
ROWS = 1 << 20  # 64 parts of 16,384 rows: some 60 ms on one core
ADDITIONS = 400_000_000
COPY = 8 << 20

PACKED = "card ids, packed batch"

Run = Callable[[int], None]
"""Does the same amount of work on so many threads."""


def _together(work: Callable[[], None], threads: int) -> None:
    """The work, on each of the threads."""
    others = [Thread(target=work) for _ in range(threads - 1)]
    for other in others:
        other.start()
    work()
    for other in others:
        other.join()


def _additions(folder: Path) -> Run:
    library = folder / "additions.so"
    compiled.run("gcc", "-O2", "-shared", "-fPIC", "-o", library, compiled.C / "additions.c")
    additions = ctypes.CDLL(str(library)).additions
    additions.argtypes = [ctypes.c_uint64]
    return lambda threads: _together(lambda: additions(ADDITIONS // threads), threads)


def _copies() -> Run:
    pairs = [(np.ones(COPY, np.uint8), np.ones(COPY, np.uint8)) for _ in range(2)]

    def run(threads: int) -> None:
        free = list(pairs)

        def work() -> None:
            source, target = free.pop()
            for _ in range(64 // threads):
                np.copyto(target, source)

        _together(work, threads)

    return run


def _derivations() -> dict[str, Run]:
    """Every call into new memory, and into that of the call before."""
    few = Batch.pack(population(ROWS // 8))
    batch = Batch(
        np.tile(few.data, 8),
        np.concatenate([[0], (few.offsets[1:] + few.offsets[-1] * np.arange(8)[:, None].astype(np.uint32)).ravel()]),
        np.tile(few.id_lengths, 8),
    )
    key = KeyHandle(SECURITY_KEY)
    out = derive_batch(batch, key)
    return {
        PACKED: lambda threads: derive_batch(batch, key, threads=threads) and None,
        f"{PACKED}, out=": lambda threads: derive_batch(batch, key, threads=threads, out=out) and None,
    }


def measure(pairs: int = PAIRS) -> dict[str, Any]:
    """cores, and what -> times: how many times faster two threads were, of all pairs; empty on one core."""
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        return {"cores": cores, "pairs": 0, "times": {}}
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            "additions in registers": _additions(Path(folder)),
            "copies of 8 MiB": _copies(),
            **_derivations(),
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for run in runs.values():
            run(1), run(2)  # pages, threads, caches
        for _ in range(pairs):
            for name, run in runs.items():
                times[name].append(_seconds(run, 1) / _seconds(run, 2))
    return {"cores": cores, "pairs": pairs, "times": {name: _summary(found) for name, found in times.items()}}


def _seconds(run: Run, threads: int) -> float:
    time.sleep(0.02)  # what the run before left to the system is done, and nobody is called to account for it
    start = time.perf_counter()
    run(threads)
    return time.perf_counter() - start


def _summary(found: list[float]) -> dict[str, float]:
    """Median; and the least that the best tenth of the pairs reached."""
    best = quantiles(found, n=10, method="inclusive")[-1] if len(found) > 1 else found[0]
    return {"median": round(median(found), 3), "best_tenth": round(best, 3)}


def table(result: dict[str, Any]) -> str:
    lines = ["| two threads beside one | median of the pairs | best tenth |", "|---|--:|--:|"]
    lines += [f"| {name} | {one['median']:.2f} | {one['best_tenth']:.2f} |" for name, one in result["times"].items()]
    return "\n".join(lines) if result["times"] else "two threads: one core alone was given"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    print(table(measure(parser.parse_args().pairs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
