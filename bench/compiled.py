"""Our kernels on every tier, beside the C libraries, without Python: cycles an item, interleaved, in one process.

    python bench/compiled.py [--laps 200] [--peer FOLDER]...

The driver and an adapter a library (bench/c/) are compiled now, with gcc, into a temporary folder. Libraries that are
installed by name are found by the compiler; --peer names a folder outside the repository that holds a built checkout of
one more (headers and .so or .a, wherever in it), or of another version. What is not there is listed as missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from jobs import Job, jobs

ROOT = Path(__file__).parent.parent
C = Path(__file__).parent / "c"
ROOMS = ("base", "sm3", "sm4", "derive", "token", "host")
OURS = "ehc"
LAPS = 200
PASSES = 4
"""Over all jobs: a bad moment of the machine then spoils a part of the laps of a job, not all of them."""


@dataclass(frozen=True)
class Library:
    """A peer: its adapter in bench/c/, the header and library that show it is there, and how to get it."""

    adapter: str
    header: str
    stem: str
    get: str

    @property
    def name(self) -> str:
        return Path(self.adapter).stem

    @property
    def by_name(self) -> bool:
        """Whether a distribution has it; the others are found in checkouts alone."""
        return self.get.startswith("apt install")


def _checkout_of(repository: str) -> str:
    return f"build a checkout of {repository}, give its folder with --peer"


LIBRARIES = (
    Library("libgcrypt.c", "gcrypt.h", "gcrypt", "apt install libgcrypt20-dev"),
    Library("openssl.c", "openssl/evp.h", "crypto", "apt install libssl-dev"),
    Library("botan.cpp", "botan/block_cipher.h", "botan-2", "apt install libbotan-2-dev"),
    Library("gmssl.c", "gmssl/sm4.h", "gmssl", _checkout_of("guanzhi/GmSSL")),
    Library("ippcp.c", "ippcp.h", "ippcp", _checkout_of("intel/cryptography-primitives")),
    Library("ipsec_mb.c", "intel-ipsec-mb.h", "IPSec_MB", _checkout_of("intel/intel-ipsec-mb")),
    Library("isal.c", "isa-l_crypto/sm3_mb.h", "isal_crypto", _checkout_of("intel/isa-l_crypto")),
)
LANES = LIBRARIES[-1]
"""Where it is given, each other library's adapter has a second way: its own SM4 with these lanes of SM3."""
LANES_MARK = " + isa-l_crypto"
"""Ends the name of that second way."""

INCLUDES = ("/usr/include", "/usr/include/botan-2", "/usr/local/include")


class Failed(RuntimeError):
    """A compiler or the driver said no; the message holds what it said."""


NAME_SPACES = "glibc.rtld.nns=16:glibc.rtld.optional_static_tls=16384"
"""Room for the linker name spaces of fifteen contenders; glibc reads it when the driver starts."""


def run(*command: str | Path) -> str:
    environ = {**os.environ, "GLIBC_TUNABLES": NAME_SPACES}
    parts = [str(part) for part in command]
    done = subprocess.run(parts, capture_output=True, text=True, check=False, env=environ)
    if done.returncode:
        raise Failed(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[:2000]}")
    return done.stdout


# ---- what is built ----


def build_driver(folder: Path) -> Path:
    driver = folder / "driver"
    run("gcc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", driver, C / "driver.c", "-ldl")
    return driver


BUILT = "BENCH_KERNELS"
"""Environment: what build_ours gave before, so that the processes of one run compile the kernels once. (Names in EHC_
are settings: `ehc` refuses those that it does not know.)"""


def ours_built(folder: Path) -> Path:
    """What BUILT names, or build_ours of this repository."""
    return Path(os.environ[BUILT]) if BUILT in os.environ else build_ours(folder)


def build_ours(folder: Path, native: Path = ROOT / "native", flags: Sequence[str] = ("-O3",)) -> Path:
    """The kernels, with the flags of setup.py, and their adapter as one shared object."""
    objects, target = folder / "".join(("ours", *flags)), folder / "ehc.so"
    objects.mkdir()
    sources = [C / "ehc.c", *(source for room in ROOMS for source in sorted((native / room).glob("*.c")))]
    includes = [f"-I{native / room}" for room in ("include", *ROOMS)]
    options = (*flags, "-std=c11", "-fPIC", "-fvisibility=hidden", f"-I{C}", *includes)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda file: run("gcc", *options, "-c", file, "-o", objects / f"{file.stem}.o"), sources))
    run("gcc", "-shared", "-Wl,-Bsymbolic", "-o", target, *sorted(objects.glob("*.o")))
    return target


def build_peer(library: Library, folder: Path, root: Path | None = None, lanes: Path | None = None) -> Path | None:
    """The library's adapter as a shared object; None when the library is not there, by name or under `root`.

    lanes: a checkout of LANES, for the adapter's second way.
    """
    place = _installed(library) if root is None else _checkout(library, root)
    if place is None:
        return None
    second = _checkout(LANES, lanes) if lanes and library is not LANES else None
    include, found = (a + b for a, b in zip(place, second or ([], []), strict=True))
    source = C / library.adapter
    compiler = ("g++", "-std=c++17") if source.suffix == ".cpp" else ("gcc", "-std=c11")
    target = folder / f"{source.stem}{'' if root is None else '-' + root.name}.so"
    defined = ("-DWITH_LANES",) if second else ()
    options = ("-O3", "-fPIC", "-shared", "-fvisibility=hidden", f"-I{C}", *defined, *include, "-o", target, source)
    run(*compiler, *options, *found)
    return target


def _installed(library: Library) -> tuple[list[str], list[str]] | None:
    for folder in map(Path, INCLUDES if library.by_name else ()):
        if (folder / library.header).exists():
            return ([] if folder == Path("/usr/include") else [f"-I{folder}"]), [f"-l{library.stem}"]
    return None


def _checkout(library: Library, root: Path) -> tuple[list[str], list[str]] | None:
    """Options of the compiler and the linker."""
    headers = sorted(root.rglob(library.header))
    names = f"lib{library.stem}.so", f"lib{library.stem}.so.*", f"lib{library.stem}.a"
    built = next(filter(None, (sorted(root.rglob(name)) for name in names)), None)
    if not headers or not built:
        return None
    include = {header.parents[library.header.count("/")] for header in headers}
    search = f"-Wl,--disable-new-dtags,-rpath,{built[0].parent}"
    return [f"-I{folder}" for folder in sorted(include)], [search, str(built[0])]


# ---- what came out ----


def measure(laps: int = LAPS, peers: Iterable[Path] = (), scale: int = 1, ours: Path | None = None) -> dict[str, Any]:
    """laps, clock_hz, missing, jobs: {job: {unit, contenders: {name: {items, p10, median, slower}}}}.

    slower[name of a tier of ours]: how many times that tier's cycles the contender needed, median of the laps' ratios.
    ours: what build_ours gave, if it is built already.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found, missing = _peers(folder, peers)
        driver, ours = build_driver(folder), ours or ours_built(folder)
        entrants = [f"{ours}@{tier}" for tier in run(driver, "tiers", ours).split()] + [str(peer) for peer in found]
        work = jobs(scale)
        files = [job.file(folder) for job in work]
        parts = [len(range(i, laps, PASSES)) for i in range(min(PASSES, laps))]
        texts = [run(driver, "measure", str(part), *files, "--", *entrants) for part in parts]
    clocks, lines = zip(*(text.split("\n", 1) for text in texts), strict=True)
    found = _results("".join(lines), {job.name: job for job in work})
    return {"laps": laps, "clock_hz": max(map(int, clocks)), "jobs": found, "missing": missing}


def _peers(folder: Path, given: Iterable[Path]) -> tuple[list[Path], dict[str, str]]:
    """Adapters that could be built, and library -> how to get it for the others."""
    checkouts = [(library, root.resolve()) for root in given for library in LIBRARIES if _checkout(library, root)]
    for root in given:
        if root.resolve() not in (checkout for _, checkout in checkouts):
            known = ", ".join(f"{library.header} with lib{library.stem}" for library in LIBRARIES)
            raise Failed(f"--peer {root}: holds none of {known}; is it built?")
    lanes = next((root for library, root in checkouts if library is LANES), None)
    work = [(library, root) for library in LIBRARIES for root in (None, *(r for one, r in checkouts if one is library))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        adapters = list(pool.map(lambda one: build_peer(one[0], folder, one[1], lanes), work))
    there = {library.name for (library, _), adapter in zip(work, adapters, strict=True) if adapter}
    missing = {library.name: library.get for library in LIBRARIES if library.name not in there}
    return [adapter for adapter in adapters if adapter], missing


def _results(text: str, work: dict[str, Job]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    laps: dict[str, dict[str, list[float]]] = {}
    for line in text.splitlines():
        file, name, items, figures = line.split("\t")
        job = work[Path(file).stem]
        cycles = laps.setdefault(job.name, {}).setdefault(name, [])
        cycles += [float(figure) / job.units for figure in figures.split()]
        entry = found.setdefault(job.name, {"unit": job.unit, "contenders": {}})
        entry["contenders"][name] = {
            "items": int(items) * job.units,
            "p10": _short(_p10(cycles)),
            "median": _short(median(cycles)),
        }
    for job_name, entry in found.items():
        tiers = [name for name in entry["contenders"] if is_ours(name)]
        for name, contender in entry["contenders"].items():
            contender["slower"] = {tier: _short(_pairwise(laps[job_name], name, tier)) for tier in tiers}
    return found


def is_ours(contender: str) -> bool:
    return contender.startswith(OURS + "@")


def _p10(values: list[float]) -> float:
    return quantiles(values, n=10, method="inclusive")[0] if len(values) > 1 else values[0]


def _pairwise(laps: dict[str, list[float]], theirs: str, ours: str) -> float:
    return median(a / b for a, b in zip(laps[theirs], laps[ours], strict=True))


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def table(result: dict[str, Any]) -> str:
    """A line a job and contender: quiet tenth percentile, median, and how much slower than our best tier."""
    lines = []
    for name, job in result["jobs"].items():
        best = next(iter(job["contenders"]))
        for contender, one in job["contenders"].items():
            lines.append(
                f"{name:20} {contender:22} {one['p10']:>9,.2f} {one['median']:>9,.2f} cycles a {job['unit']:8}"
                f"{one['slower'][best]:>8.2f} times {best}"
            )
    lines += [f"missing: {name}: {get}" for name, get in result["missing"].items()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laps", type=int, default=LAPS)
    parser.add_argument("--peer", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    result = measure(options.laps, options.peer)
    print(json.dumps(result, indent=2) if options.json else table(result))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(str(error))
