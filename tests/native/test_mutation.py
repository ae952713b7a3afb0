"""Deleting any line of the token check makes a test fail.

Every line of payload.c and token_check.c that is not blank, comment or brace is deleted alone. The mutant must not
compile, or must answer some request of token_requests.py otherwise than the reference, or crash, or not end.
"""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from kernels import INCLUDES, NATIVE, compile_objects, run
from token_requests import requests

SOURCES = {path.name: path for path in (NATIVE / "token/payload.c", NATIVE / "token/token_check.c")}
NEEDED = [
    NATIVE / path
    for path in (
        "sm4/sm4.c",
        "sm4/sm4_portable.c",
        "sm3/sm3_bmi2.c",
        "sm3/sm3_portable.c",
        "token/base45.c",
        "token/bcd_time.c",
        "token/bound.c",
        "token/hex.c",
        "token/token_portable.c",
        "base/wipe.c",
    )
]
# a value that is not set is a pattern, not luck; a function without its return does not compile
FLAGS = [
    "-std=c11",
    "-O1",
    "-ftrivial-auto-var-init=pattern",
    "-Werror=return-type",
    "-Werror=uninitialized",
    "-Werror=implicit",
]
FAST = "the general parser below gives the same answer, slower"
EQUIVALENT = {  # line -> proof that its deletion changes nothing
    "if (take_canonical(text, length, out))": FAST,
    'if (length != EHC_CANONICAL || memcmp(text + 64, ":0:", 3) != 0)': FAST,
}


def statements(source):
    """Numbers of the lines worth deleting; comments are blanked, lines kept."""
    code = re.sub(r"/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found.group()), source, flags=re.DOTALL)
    return [i for i, line in enumerate(code.splitlines()) if re.search(r"\w", line)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """(folder, objects by name, requests, answers)"""
    folder = tmp_path_factory.mktemp("mutation")
    objects = compile_objects(folder / "o", [*SOURCES.values(), *NEEDED, NATIVE / "tests/replay.c"], *FLAGS)
    pairs = list(requests())
    return folder, objects, "\n".join(request for request, _ in pairs) + "\n", [answer for _, answer in pairs]


def answers(program, asked):
    """Lines of the program's output; None when it crashes or does not end."""
    try:
        done = subprocess.run([program], check=False, input=asked, capture_output=True, text=True, timeout=20)
    except (subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None


def test_the_unchanged_sources_answer_as_the_reference_does(judged):
    folder, objects, asked, expected = judged
    run("gcc", *objects.values(), "-o", folder / "replay")
    found = answers(folder / "replay", asked)
    assert len(found) == len(expected) > 2000
    wrong = [row for row in zip(asked.splitlines(), found, expected, strict=True) if row[1] != row[2]]
    assert wrong == []


@pytest.mark.parametrize("name", SOURCES)
def test_deleting_any_line_is_noticed(judged, name):
    folder, objects, asked, expected = judged
    lines = SOURCES[name].read_text("utf-8").splitlines()
    others = [path for source, path in objects.items() if source != name]

    def survives(number):
        mutant = folder / f"{number}_{name}"
        mutant.write_text("\n".join(line for i, line in enumerate(lines) if i != number) + "\n", "utf-8")
        command = ["gcc", *FLAGS, *INCLUDES, mutant, *others, "-o", mutant.with_suffix(".run")]
        compiled = subprocess.run([str(part) for part in command], check=False, capture_output=True)
        return compiled.returncode == 0 and answers(mutant.with_suffix(".run"), asked) == expected

    assert survives(-1), "nothing deleted: must live, or the judge judges nothing"
    numbers = [i for i in statements("\n".join(lines)) if lines[i].strip() not in EQUIVALENT]
    with ThreadPoolExecutor(2) as pool:
        survived = [i for i, alive in zip(numbers, pool.map(survives, numbers), strict=True) if alive]
    assert [f"{name}:{i + 1}: {lines[i].strip()}" for i in survived] == []
    assert len(numbers) > 50
