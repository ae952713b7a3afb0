"""Line and branch coverage of native/ by its own tests: `python tests/native/c_coverage.py` prints the table.

gcc without optimisation, so that a branch of the source is a branch of the program, and gcov. Three measurements:
`here` runs the C suites on every tier that this processor has, a processor of our choice behind CPUID, and kernels that
answer wrongly; `aarch64` runs the suites under qemu-user and counts the units of the AArch64 tiers; `frame` runs
test_frame_pipeline.py on the frame pipeline. A body that several instruction sets include is counted in each of them
alone, a lanes header in each tier; C++ branches that only an exception takes are not counted.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kernels import INCLUDES, KERNELS, NATIVE, ROOT, SUITES, run

COVERAGE = ["-O0", "--coverage", "-fprofile-update=single"]
C = ["-std=gnu11", "-D_DEFAULT_SOURCE", *INCLUDES]
TESTS = NATIVE / "tests"
AARCH64_TIERS = ("neon", "neon_tbl", "armv8")
AARCH64 = re.compile(rf"_({'|'.join(AARCH64_TIERS)})$")
TIER = re.compile(r"_(avx512|vaes|avx2|sm_ni|armv8|neon|neon_tbl|portable_ct)$")  # of a unit's name
WITH_OUR_FRAME = """
import importlib.util, sys
import ehc, pytest
spec = importlib.util.spec_from_file_location("ehc._frame", sys.argv[1])
sys.modules["ehc._frame"] = ehc._frame = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ehc._frame)
elsewhere = "not compiler and not importing"  # tests that run a module of their own, or another process
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", elsewhere, *sys.argv[2:]]))
"""


@dataclass
class Counts:
    """Of one file in one unit (or tier): how often each line ran and each of its branches was taken."""

    lines: dict[int, list[int]] = field(default_factory=dict)

    def add(self, number, counted):
        known = self.lines.setdefault(number, [0] * len(counted))
        known.extend([0] * (len(counted) - len(known)))
        for i, value in enumerate(counted):
            known[i] += value

    def missing(self):
        """(line, what is missing of it)"""
        for number, (ran, *branches) in sorted(self.lines.items()):
            if not ran:
                yield number, "never run"
            elif 0 in branches:
                yield number, f"{sum(map(bool, branches))} of {len(branches)} branches"


def compile_all(folder, sources, compiler, *flags):
    """Objects of the sources, two at a time."""
    folder.mkdir(parents=True, exist_ok=True)

    def compiled(source):
        target = folder / f"{source.stem}.o"
        run(compiler, *flags, "-c", source, "-o", target, cwd=folder)
        return target

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(compiled, sources))


def gcov(folder, tool="gcov"):
    """(unit, file of native/, line, [line count, branch counts…]) of all that ran in the folder."""
    for data in sorted(folder.glob("*.gcda")):
        report = subprocess.run(
            [tool, "-t", "-b", "--json-format", data.name], check=True, cwd=folder, capture_output=True
        )
        for file in json.loads(report.stdout)["files"]:
            path = Path(os.path.normpath(folder / file["file"]))
            if not path.is_relative_to(NATIVE) or path.is_relative_to(TESTS):
                continue
            for line in file["lines"]:
                branches = [branch["count"] for branch in line["branches"] if not branch["throw"]]
                yield data.stem, path.relative_to(NATIVE), line["line_number"], [line["count"], *branches]


def gathered(folder, tool="gcov"):
    """(file, unit or tier or "") -> Counts"""
    found = defaultdict(Counts)
    for unit, file, number, counted in gcov(folder, tool):
        tier = TIER.search(unit)
        where = unit if file.name.endswith("_body.h") else tier[1] if tier and file.name.startswith("lanes_") else ""
        found[str(file), where].add(number, counted)
    return found


def units_left_out(objects, report):
    """The units in which there is nothing for this compiler and architecture, and those of tiers of which the suites
    said that this processor lacks them."""
    lacking = tuple(f"_{name}" for name in re.findall(r"^tier (\w+): not on this processor$", report, re.MULTILINE))
    return [unit.stem for unit in objects if unit.stem.endswith(lacking) or not run("nm", "--defined-only", unit)]


def here(folder):
    """Everything that this processor runs, and the names of the units that it does not."""
    kernels = compile_all(folder, KERNELS, "gcc", *COVERAGE, *C)
    suites = compile_all(folder, SUITES, "gcc", *C)
    run("gcc", "--coverage", *kernels, *suites, "-o", folder / "suites")
    left_out = units_left_out(kernels, run(folder / "suites"))
    others = [path for path in kernels if path.name != "cpu.o"]
    run("gcc", "--coverage", "-Wl,--wrap=ehc_sm3", *C, TESTS / "broken.c", *others, "-o", folder / "broken")
    run(folder / "broken")
    run("gcc", *COVERAGE, *C, TESTS / "cpu_answers.c", "-o", folder / "cpu_answers", cwd=folder)
    run(folder / "cpu_answers")
    assert {path.stem for path in folder.glob("*.gcda")} >= {path.stem for path in KERNELS} - set(left_out)
    found = gathered(folder)
    absent = {str(path.relative_to(NATIVE)) for path in KERNELS if path.stem in left_out}
    tiers = {TIER.search(unit)[1] for unit in left_out}
    kept = {key: counts for key, counts in found.items() if key[0] not in absent and key[1] not in {*left_out, *tiers}}
    return kept, left_out


def aarch64(folder):
    """The units of the AArch64 tiers and cpu.c, run by qemu-user; the rest is as on x86-64."""
    compiler, tool = (f"aarch64-linux-gnu-{name}" for name in ("gcc", "gcov"))
    units = [path for path in KERNELS if AARCH64.search(path.stem)]
    slow = [path for path in KERNELS if path.stem.endswith("_portable_ct")]  # to compile with -O2; not run here
    rest = [path for path in [*KERNELS, *SUITES] if path not in (*units, *slow)]
    objects = compile_all(folder, units, compiler, *COVERAGE, *C)
    objects += compile_all(folder / "rest", rest, compiler, "-O2", *C)
    objects += compile_all(folder / "rest", slow, compiler, "-O0", *C)
    run(compiler, "--coverage", "-static", *objects, "-o", folder / "suites")
    run("qemu-aarch64-static", "-cpu", "max", folder / "suites", *AARCH64_TIERS)
    run(compiler, *COVERAGE, "-static", *C, TESTS / "cpu_answers.c", "-o", folder / "cpu_answers", cwd=folder)
    run("qemu-aarch64-static", folder / "cpu_answers")
    return gathered(folder, tool)


def frame(folder):
    """The frame pipeline (C++), not its binding, through the tests in Python."""
    from pybind11 import get_include

    headers = [f"-I{NATIVE}/frame", f"-I{get_include()}", f"-I{sysconfig.get_path('include')}"]
    flags = ["-std=c++17", "-fPIC", "-fvisibility=hidden", *headers]
    counted = [*COVERAGE, "-fprofile-update=atomic", *flags]  # tests read frames in several threads
    objects = compile_all(folder, sorted((NATIVE / "frame").glob("*.cpp")), "g++", *counted)
    objects += compile_all(
        folder / "rest", [NATIVE / "bindings/_frame.cpp", NATIVE / "base/cpu.c"], "g++", "-O0", *flags
    )
    module = folder / f"_frame{sysconfig.get_config_var('EXT_SUFFIX')}"
    run("g++", "--coverage", "-shared", *objects, "-o", module)
    rows = [path for path in objects if path.stem.startswith(("rows", "cpu"))]
    run(
        "g++",
        "--coverage",
        f"-I{NATIVE}/frame",
        "-std=c++17",
        TESTS / "rows_alike.cpp",
        *rows,
        "-o",
        folder / "rows_alike",
    )
    for isa in ("avx2", "portable"):
        run("env", f"EHC_ISA={isa}", folder / "rows_alike")
    run(sys.executable, "-c", WITH_OUR_FRAME, module, *sorted((ROOT / "tests/native").glob("test_frame_*.py")))
    return gathered(folder)


def missing(counts):
    """One sentence for each line that did not run, or not both ways."""
    return [
        f"native/{file}:{number}: {what}{f' in {where}' if where else ''}: {source_line(file, number)}"
        for (file, where), counted in sorted(counts.items())
        for number, what in counted.missing()
    ]


def source_line(file, number):
    return (NATIVE / file).read_text("utf-8").splitlines()[number - 1].strip()


def table(counts):
    """Markdown: a file a row, its lines and branches over all units that include it."""
    rows = defaultdict(lambda: [0, 0, 0, 0, 0])
    for (file, _), counted in counts.items():
        branches = [taken > 0 for _, *numbers in counted.lines.values() for taken in numbers]
        ran = [numbers[0] > 0 for numbers in counted.lines.values()]
        for name in (file, "~"):
            for i, value in enumerate((1, sum(ran), len(ran), sum(branches), len(branches))):
                rows[name][i] += value
    yield "| file | in units or tiers | lines run | branches taken |"
    yield "|---|---|---|---|"
    for name, (units, ran, lines, taken, branches) in sorted(rows.items()):
        title = "all" if name == "~" else f"`{name}`"
        yield f"| {title} | {units} | {ran} of {lines} | {taken} of {branches} |"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_suites, left_out = here(folder / "here")
        parts = {
            "this processor": by_suites,
            "AArch64 under qemu": aarch64(folder / "aarch64"),
            "frame": frame(folder / "f"),
        }
    for title, counts in parts.items():
        print(f"\n{title}\n", *table(counts), *missing(counts), sep="\n")
    print("\nnot on this processor:", *left_out)
    return any(missing(counts) for counts in parts.values())


if __name__ == "__main__":
    sys.exit(main())
