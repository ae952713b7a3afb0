"""The loops over rows of pixels, on every instruction set: native/frame/rows.h."""

import os
import subprocess
from pathlib import Path

import pytest
from kernels import NATIVE, OPTIONS, compile_objects, run

SOURCES = [*sorted((NATIVE / "frame").glob("rows*.cpp")), NATIVE / "tests/rows_alike.cpp"]
STRICT = "-std=c++17 -O1 -ftree-vectorize -Wall -Wextra -Wshadow -Wconversion -Werror"
SANITIZED = "-fsanitize=address,undefined -fno-sanitize-recover=all"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    [cpu] = compile_objects(folder, [NATIVE / "base/cpu.c"], *OPTIONS).values()
    run("g++", *STRICT.split(), *SANITIZED.split(), f"-I{NATIVE / 'frame'}", *SOURCES, cpu, "-o", folder / "rows_alike")
    return folder / "rows_alike"


def answer(program, **settings):
    environment = {name: value for name, value in os.environ.items() if name != "EHC_ISA"} | settings
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout.strip()


def test_every_instruction_set_gives_the_bytes_of_the_portable_loops_at_any_size_and_address(program):
    has_avx2 = " avx2 " in Path("/proc/cpuinfo").read_text("utf-8")
    assert answer(program) == ("avx2" if has_avx2 else "portable")


@pytest.mark.parametrize("name", ["portable", "portable_ct"])
def test_the_portable_loops_can_be_asked_for(program, name):
    assert answer(program, EHC_ISA=name) == "portable"
