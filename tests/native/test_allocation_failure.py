"""Each allocation that ehc._native makes itself fails once: a MemoryError, nothing leaked, and the next call
is right. The work is done in a process of its own, under native/tests/failing_malloc.cpp."""

import os
import subprocess
import sys

import pytest
from kernels import NATIVE, run

PRELUDE = """
import ctypes, gc
from ehc import crypto

malloc = ctypes.CDLL(None)
for function in (malloc.ehc_allocations, malloc.ehc_live):
    function.restype = ctypes.c_long
people = [("01", "11010020171225006X", "电子健康卡")] * 3000
key = bytes(range(16))


def fail_each(job, answer):
    expected = answer(job())
    gc.collect()
    malloc.ehc_fail_at(ctypes.c_long(0))
    job()
    gc.collect()
    count, live = malloc.ehc_allocations(), malloc.ehc_live()
    for k in range(1, count + 1):
        malloc.ehc_fail_at(ctypes.c_long(k))
        try:
            job()
        except MemoryError:
            pass
        else:
            raise SystemExit(f"allocation {k} of {count} failed and nobody was told")
        malloc.ehc_fail_at(ctypes.c_long(0))
        gc.collect()
        if malloc.ehc_live() != live:
            raise SystemExit(f"allocation {k} of {count} failed: {malloc.ehc_live() - live} blocks leaked")
        if answer(job()) != expected:
            raise SystemExit(f"wrong answer after allocation {k} of {count} failed")
    print(count)

"""
JOBS = {
    "packed rows": "fail_each(lambda: crypto.Batch.pack(people), lambda b: b.data.tobytes())",
    "a batch of persons": "fail_each(lambda: crypto.derive_batch(people, key), lambda d: d.card_id.tobytes())",
    "a batch of tokens": "payloads = ['A' * 64 + ':1'] * 500\n"
    "fail_each(lambda: crypto.check_batch(payloads, key, now=0), lambda c: len(c))",
}


@pytest.fixture(scope="module")
def failing_malloc(tmp_path_factory):
    library = tmp_path_factory.mktemp("malloc") / "failing_malloc.so"
    source = NATIVE / "tests/failing_malloc.cpp"
    run("g++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", source, "-ldl", "-o", library)
    return library


def in_process(library, program):
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    command = [sys.executable, "-c", PRELUDE + program]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("job", JOBS)
def test_every_allocation_that_fails_is_a_memory_error_without_a_leak(failing_malloc, job):
    done = in_process(failing_malloc, JOBS[job])
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 2


def test_a_job_that_hides_the_failure_is_noticed(failing_malloc):
    hiding = """
def job():
    try:
        return crypto.Batch.pack(people)
    except MemoryError:
        return None
fail_each(job, lambda b: None)
"""
    done = in_process(failing_malloc, hiding)
    assert done.returncode == 1
    assert "failed and nobody was told" in done.stderr
