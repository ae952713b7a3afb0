"""Compiles the kernels and the C tests, as a newcomer would: cc, the sources, the include folders."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "native"
ROOMS = ("base", "sm3", "sm4", "derive", "token", "host")
KERNELS = sorted(source for room in ROOMS for source in (NATIVE / room).glob("*.c"))
MACHINE = sorted(source for room in ("sm2", "sdf") for source in (NATIVE / room).glob("*.c"))  # on libcrypto
READER = [  # libehcreader.so, but for the kernels and sm2
    *sorted(path for path in (NATIVE / "reader").iterdir() if path.suffix in (".c", ".cpp")),
    NATIVE / "frame/pixels.cpp",
    *sorted((NATIVE / "frame").glob("rows*.cpp")),
]
SUITES = sorted((NATIVE / "tests").glob("test_*.c"))
INCLUDES = [f"-I{NATIVE / room}" for room in ("include", *ROOMS, "sm2", "sdf", "reader", "frame")]
GCC = ["ccache", "gcc"] if shutil.which("ccache") else ["gcc"]  # several tests compile the same sources alike
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
OPTIONS = ["-O3", *STRICT]


def run(*command, cwd=ROOT):
    """The output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], check=False, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[0]} said:\n{(done.stdout + done.stderr)[-6000:]}"
    return done.stdout


def needs(missing, packages):
    """Without these tools a test cannot say anything: it fails in CI, which installs them, and is skipped elsewhere."""
    if missing:
        reason = f"{' and '.join(missing)} missing (Debian: {packages})"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


def not_on_path(*tools):
    return [tool for tool in tools if shutil.which(tool) is None]


def compile_objects(folder, sources, *flags):
    """{source name: object} of the sources, in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda source: run(*GCC, *flags, *INCLUDES, "-c", source, cwd=folder), sources))
    return {source.name: folder / f"{source.stem}.o" for source in sources}


def compile_kernels(folder):
    """The kernels as the package builds them, without a warning: objects."""
    return compile_objects(folder, KERNELS, *OPTIONS)
