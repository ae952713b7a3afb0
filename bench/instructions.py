"""How many instructions a kernel needs, counted by valgrind: the same on every run, so a gate of one per cent.

    python bench/instructions.py [--accept]

Counts depend on the compiler, so they are kept by its version (bench/instructions.json), whoever built it; for another
version there is nothing to judge by until --accept keeps its own. A count that fell is kept with --accept too. valgrind
runs the tiers below; the others have instructions that it does not know.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import compiled

TIERS = ("avx2", "portable")
MARGIN = 0.01
KEPT = Path(__file__).parent / "instructions.json"
SCALE = 8  # part of the items of bench/compiled.py: valgrind takes some fifty times as long

Counts = dict[str, dict[str, float]]
"""Tier -> job -> instructions an item (a byte, for bulk)."""


class Change(NamedTuple):
    """A count beside the kept one."""

    tier: str
    job: str
    kept: float | None  # None: nothing kept
    now: float | None  # None: not counted any more

    @property
    def holds(self) -> bool:
        return None not in (self.kept, self.now) and abs(self.now / self.kept - 1) <= MARGIN

    def __str__(self) -> str:
        mark = "ok  " if self.holds else "FAIL"
        now, kept = ("none" if count is None else f"{count:,.2f}" for count in (self.now, self.kept))
        return f"{mark} instructions, {self.job}, {self.tier}: {now}, kept: {kept} (within {MARGIN:.0%})"


def compiler() -> str:
    """ "gcc 12.2.0"."""
    return "gcc " + compiled.run("gcc", "-dumpfullversion").strip()


def count(tiers: Sequence[str] = TIERS, only: Sequence[str] = (), ours: Path | None = None) -> Counts:
    """Count the jobs of bench/compiled.py (`only` those named) on the tiers that this processor runs.

    ours: what compiled.build_ours gave, if it is built already.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        driver, ours = compiled.build_driver(folder), ours or compiled.ours_built(folder)
        runs = set(compiled.run(driver, "tiers", ours).split())
        jobs = [job for job in compiled.jobs(SCALE) if not only or job.name in only]
        files = {job.name: job.file(folder) for job in jobs}
        work = [(tier, job) for tier in tiers if tier in runs for job in jobs]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda one: _count(driver, f"{ours}@{one[0]}", one[1], files[one[1].name]), work))
    counts: Counts = {}
    for (tier, job), instructions in zip(work, found, strict=True):
        counts.setdefault(tier, {})[job.name] = instructions
    return counts


def _count(driver: Path, entrant: str, job: compiled.Job, file: Path) -> float:
    """Instructions an item inside the adapter's function, and all that it calls."""
    collect = f"--toggle-collect=ours_{job.kind}"
    command = ["valgrind", "--tool=callgrind", collect, "--callgrind-out-file=/dev/null"]
    ran = subprocess.run(
        [*command, str(driver), "once", str(file), entrant], capture_output=True, text=True, check=False
    )
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not found:
        raise compiled.Failed(f"valgrind, {job.name}, {entrant}: {ran.stderr.strip()[-2000:]}")
    return round(int(found[1]) / (int(ran.stdout) * job.units), 3)


def judge(counts: Counts, kept: Counts) -> Iterator[Change]:
    """Every count beside the kept one, of the tiers that were counted."""
    for tier, jobs in counts.items():
        before = kept.get(tier, {})
        for job in dict.fromkeys([*jobs, *before]):
            yield Change(tier, job, before.get(job), jobs.get(job))


def load(file: Path = KEPT) -> dict[str, Counts]:
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def keep(counts: Counts, file: Path = KEPT) -> None:
    """In place of this compiler's counts of the same tiers."""
    kept = load(file)
    kept[compiler()] = kept.get(compiler(), {}) | counts
    file.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")


def report(counts: Counts, accept: bool = False, file: Path = KEPT) -> bool:
    """Print each count beside the kept one; whether all hold. accept: keep them, whatever they are."""
    kept = load(file).get(compiler())
    if kept is None and not accept:
        print(f"instructions: none kept for {compiler()}; --accept keeps these")
        return True
    changes = list(judge(counts, kept or {}))
    print(*changes, sep="\n")
    if accept:
        keep(counts, file)
    return accept or all(change.holds for change in changes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept", action="store_true", help="keep the counts")
    return 0 if report(count(), parser.parse_args().accept) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except compiled.Failed as error:
        sys.exit(str(error))
