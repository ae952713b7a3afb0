"""Each allocation fails once: a MemoryError, nothing leaked, and the next call is right. First those that ehc._native
and ehc._frame make themselves (in a process under native/tests/failing_malloc.cpp), then those that Python makes for
them: of these Python does without some, and then the answer must be right."""

import os
import subprocess
import sys

import pytest
from kernels import NATIVE, run

PRELUDE = """
import ctypes, gc
import numpy as np
import segno
from ehc import crypto
from ehc._frame import FramePipeline
from ehc._grey import GreyCore, correct_block, locate, outlines
from ehc.reader.degrade import code_image

people = [("01", "11010020171225006X", "电子健康卡")] * 3000
payloads = ["A" * 64 + ":1"] * 500
key = bytes(range(16))
frame = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(30, 40, 3)


def every_step(pipeline):
    grey = pipeline.luma(frame, "RGB")
    steps = [grey, pipeline.half(grey), pipeline.twice(grey), pipeline.dilate(grey), pipeline.smooth(grey)]
    steps += [pipeline.sharpen(grey), pipeline.binarise(grey)]
    flat = frame.tobytes()
    steps.append(pipeline.luma(flat, "RGB", 1, (0, 0, 20, 20), 40, 30, 120))
    pipeline.glance(flat, "RGB", 40, 30, 120)
    pipeline.held_nothing()
    steps.append(pipeline.glance(bytes(255 - frame), "RGB", 40, 30, 120))
    pipeline.hit([[1, 1], [9, 1], [9, 9], [1, 9]])
    return steps, pipeline.region(40, 30)


drawn = code_image(segno.make_qr("EHC", version=1).matrix)
corners = [[15.5, 15.5], [99.5, 15.5], [99.5, 99.5], [15.5, 99.5]]


def every_look(core):
    core.begin()
    symbol = core.read(drawn, corners, 1)
    looks = [symbol.modules.tobytes(), symbol.corners, core.waiting, core.fuse(), core.expected]
    core.forget()
    return [*looks, locate(drawn), outlines(drawn), correct_block(bytes(30), 10, [1, 2])]


def seen(done):
    return [step.tobytes() for step in done[0]], done[1]

"""
FAIL_OUR_OWN = """
malloc = ctypes.CDLL(None)
for function in (malloc.ehc_allocations, malloc.ehc_live):
    function.restype = ctypes.c_long


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
FAIL_THOSE_OF_PYTHON = """
import _testcapi


def fail_each(job, answer, in_a_row=20):
    expected = answer(job())
    told = right = k = 0
    while right < in_a_row:  # so many allocations behind the last one that the job makes
        _testcapi.set_nomemory(k, k + 1)
        try:
            done = job()
        except MemoryError:
            done = None
        except (RuntimeError, TypeError) as error:  # pybind11's words for it
            if "Could not allocate" not in str(error) and not isinstance(error.__cause__, MemoryError):
                raise
            done = None
        finally:
            _testcapi.remove_mem_hooks()
        told, right = (told + 1, 0) if done is None else (told, right + 1)
        if answer(job() if done is None else done) != expected:
            raise SystemExit(f"wrong answer when allocation {k} failed")
        k += 1
    print(told)

"""
JOBS = {
    "packed rows": "fail_each(lambda: crypto.Batch.pack(people), lambda b: b.data.tobytes())",
    "a batch of persons": "fail_each(lambda: crypto.derive_batch(people, key), lambda d: d.card_id.tobytes())",
    "a batch of tokens": "fail_each(lambda: crypto.check_batch(payloads, key, now=0), lambda c: len(c))",
    "frames": "fail_each(lambda: every_step(FramePipeline()), seen)",
    "looks at a symbol": "fail_each(lambda: every_look(GreyCore()), str)",
}


@pytest.fixture(scope="module")
def failing_malloc(tmp_path_factory):
    library = tmp_path_factory.mktemp("malloc") / "failing_malloc.so"
    source = NATIVE / "tests/failing_malloc.cpp"
    run("g++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", source, "-ldl", "-o", library)
    return library


def in_process(program, **environment):
    command = [sys.executable, "-c", PRELUDE + program]
    return subprocess.run(command, check=False, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.parametrize("job", JOBS)
def test_every_allocation_of_our_own_that_fails_is_a_memory_error_without_a_leak(failing_malloc, job):
    done = in_process(FAIL_OUR_OWN + JOBS[job], LD_PRELOAD=str(failing_malloc))
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 2


@pytest.mark.parametrize("job", JOBS)
def test_every_allocation_of_python_for_us_that_fails_is_a_memory_error_or_done_without(job):
    pytest.importorskip("_testcapi", reason="this Python came without its own tests")
    done = in_process(FAIL_THOSE_OF_PYTHON + JOBS[job])
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 5


HIDING = """
def job():
    try:
        return crypto.Batch.pack(people)
    except MemoryError:
        return []
fail_each(job, lambda b: None)
"""


def test_a_job_that_hides_the_failures_of_our_own_is_noticed(failing_malloc):
    done = in_process(FAIL_OUR_OWN + HIDING, LD_PRELOAD=str(failing_malloc))
    assert done.returncode == 1
    assert "failed and nobody was told" in done.stderr


def test_a_job_that_hides_the_failures_of_python_is_noticed():
    pytest.importorskip("_testcapi", reason="this Python came without its own tests")
    assert in_process(FAIL_THOSE_OF_PYTHON + HIDING).stdout == "0\n"
