"""Deleting any line of the token code makes a test fail.

Every line of native/token's portable C that is not blank, comment or brace is deleted alone. The mutant must not
compile, or must answer some request of token_requests.py or code_requests.py otherwise than the reference, or crash, or
not end.

Here a sample, always the same; all lines, in three minutes: MUTANTS=all pytest tests/native/test_mutation.py
"""

import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import code_requests
import pytest
import token_requests
from kernels import INCLUDES, NATIVE, compile_objects, run

SOURCES = {
    f"{name}.c": NATIVE / f"token/{name}.c"
    for name in ("payload", "token_check", "token_make", "bound", "compact", "base45", "bcd_time")
}
NEEDED = [
    NATIVE / path
    for path in (
        "sm4/sm4.c",
        "sm4/sm4_portable.c",
        "sm3/hmac_sm3.c",
        "sm3/sm3_bmi2.c",
        "sm3/sm3_portable.c",
        "token/hex.c",
        "token/token_portable.c",
        "base/wipe.c",
    )
]
SAMPLE = 15  # lines a file
# a value that is not set is a pattern, not luck; a function without its return does not compile
FLAGS = [
    "-std=c11",
    "-O1",
    "-ftrivial-auto-var-init=pattern",
    "-Werror=return-type",
    "-Werror=uninitialized",
    "-Werror=implicit",
]
WIPED = "no answer shows what is left of a secret in a dead stack frame"
FAST = "the general parser below gives the same answer, slower"
EQUIVALENT = {  # line -> proof that its deletion changes nothing
    "if (take_canonical(text, length, out))": FAST,
    'if (length != EHC_CANONICAL || memcmp(text + 64, ":0:", 3) != 0)': FAST,
    "i = (size_t)(other - g->canonical);": FAST,
    "if (!(kernels->hex_decode(text, 32, out->card_id) & kernels->hex_decode(text + 67, 16, out->token_bytes)))": FAST,
    "if (rows.count == EHC_BOUND_GROUP)": "groups of one row give the same answers, slower",
    "if (day + 1 != last->number)": "the same date is worked out again",
    "ehc_wipe(block, sizeof block);": WIPED,
    "ehc_wipe(derived, sizeof derived);": WIPED,
    "ehc_wipe(keys, sizeof keys);": WIPED,
    '#include "kernels.h"': "where it does compile, it declares what is defined there",
    "#undef X": "nothing behind it has this name",
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
    pairs = [*token_requests.requests(), *code_requests.requests()]
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
    assert len(numbers) > 20
    if os.environ.get("MUTANTS") != "all":
        numbers = random.Random(name).sample(numbers, SAMPLE)
    with ThreadPoolExecutor(2) as pool:
        survived = [i for i, alive in zip(numbers, pool.map(survives, numbers), strict=True) if alive]
    assert [f"{name}:{i + 1}: {lines[i].strip()}" for i in survived] == []
