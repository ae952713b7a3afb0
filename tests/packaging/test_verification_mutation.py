"""Deleting any line of ehc/codes/verification.py makes a test of tests/codes/test_verification.py fail.

Each line that is not blank, comment or docstring is deleted alone, and the suite runs with the mutant in the module's
place. What no longer parses is noticed by the interpreter.
"""

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "ehc/codes/verification.py"
SUITE = ROOT / "tests/codes/test_verification.py"
JUDGE = """
import importlib.util, os, sys
import pytest
suite, verdicts, *mutants = sys.argv[1:]
options = [suite, "-x", "-q", "-p", "no:cacheprovider", "-p", "no:benchmark"]
pytest.main([*options, "--collect-only"])  # imports everything once; each mutant is judged in a fork
for mutant in mutants:
    child = os.fork()
    if child == 0:
        for name in [name for name in sys.modules if name.startswith(("ehc.codes", "test_", "conftest"))]:
            del sys.modules[name]
        import ehc.codes
        spec = importlib.util.spec_from_file_location("ehc.codes.verification", mutant)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = ehc.codes.verification = module
        code = 1
        try:
            spec.loader.exec_module(module)
            code = pytest.main(options)
        finally:
            os._exit(code)
    with open(verdicts, "a", encoding="utf-8") as file:  # not stdout: what a test leaves there may end in no newline
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), mutant, file=file)
"""
EQUIVALENT = {
    "from __future__ import annotations": "every name in an annotation exists when it is evaluated: only import time",
    "from collections.abc import Awaitable": "named in annotations alone",
}


def statements(source):
    """Numbers of the lines worth deleting."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno - 1, node.end_lineno)
    }
    lines = enumerate(line.strip() for line in source.splitlines())
    return [i for i, line in lines if line and line[0] != "#" and i not in docstrings and line not in EQUIVALENT]


def parses(source):
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def judge(mutants):
    """{mutant: exit code of the suite}; 0: nothing noticed; 1: a test failed; 4: conftest.py could not import it."""
    verdicts = mutants[0].with_suffix(".verdicts")
    command = [sys.executable, "-c", JUDGE, str(SUITE), str(verdicts), *map(str, mutants)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=300)
    found = (line.split(" ", 1) for line in verdicts.read_text("utf-8").splitlines())
    return {Path(path): int(code) for code, path in found}


def test_deleting_any_line_of_the_verification_is_noticed(tmp_path):
    lines = SOURCE.read_text("utf-8").splitlines(keepends=True)
    mutants = {}
    for number in [-1, *statements("".join(lines))]:
        mutant = tmp_path / f"without_{number}.py"
        mutant.write_text("".join(line for i, line in enumerate(lines) if i != number), "utf-8")
        if parses(mutant.read_text("utf-8")):
            mutants[mutant] = number
    halves = list(mutants)[::2], list(mutants)[1::2]
    with ThreadPoolExecutor(2) as pool:
        codes = {mutant: code for half in pool.map(judge, halves) for mutant, code in half.items()}
    assert codes.keys() == mutants.keys()
    assert set(codes.values()) <= {0, 1, 4}, "anything else is a judge that does not judge"
    survived = [number for mutant, number in mutants.items() if codes[mutant] == 0]
    assert -1 in survived, "nothing deleted: must pass"
    assert [f"{SOURCE.name}:{i + 1}: {lines[i].strip()}" for i in survived if i >= 0] == []
    assert len(mutants) > 20
