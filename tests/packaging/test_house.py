"""The house's own rules, checked: what stands in the root, names, sizes, layers, style, types, warnings."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).rstrip("\0").split("\0")
FILES = [ROOT / name for name in TRACKED if (ROOT / name).is_file()]
C_KINDS = {".c", ".h", ".cpp", ".hpp"}
LONGEST = {".py": 400} | dict.fromkeys([*C_KINDS, ".pyx", ".pxd", ".pxi", ".pyi"], 600)
ALLOWED_IN_ROOT = {"pyproject.toml", "setup.py", "native", "ehc", "bench", "tests", "README.md", "LICENSE"}
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]


def run(*command):
    done = subprocess.run([str(part) for part in command], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command[:4]))}:\n{(done.stdout + done.stderr)[-6000:]}"
    return done.stdout


def tool(*arguments):
    """A tool of this Python's own environment."""
    return run(sys.executable, "-m", *arguments)


def native(*kinds):
    return [path for path in FILES if path.is_relative_to(ROOT / "native") and path.suffix in kinds]


def test_the_root_holds_what_the_house_says_and_dot_names():
    names = {name.split("/")[0] for name in TRACKED}
    assert {name for name in names if not name.startswith(".")} <= ALLOWED_IN_ROOT
    assert {"pyproject.toml", "setup.py", "native", "ehc", "tests", "README.md", "LICENSE"} <= names


def test_file_names_are_unique_inside_native():
    counts = Counter(path.name for path in native(*C_KINDS, ".pyx", ".pxd", ".pxi"))
    assert len(counts) > 30
    assert [name for name, count in counts.items() if count > 1] == []


def test_test_files_have_unique_names():
    """tests/ has no packages: two files of one name would be one module."""
    counts = Counter(path.name for path in FILES if path.match("tests/**/test_*.py"))
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_file_is_too_long():
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in FILES if path.suffix in LONGEST}
    assert {str(path): lines for path, lines in sizes.items() if lines > LONGEST[path.suffix]} == {}


def test_no_name_says_nothing():
    for path in FILES:
        assert not re.search(r"utils?|common|helpers?|manager|misc", path.stem), path


def test_every_python_room_says_what_it_is():
    for init in (path for path in FILES if path.match("ehc/**/__init__.py")):
        has_readme = (init.parent / "README.md").exists()
        assert has_readme or ast.get_docstring(ast.parse(init.read_text("utf-8"))), init


def test_imports_go_down_only():
    """The contracts stand in pyproject.toml, [tool.importlinter]."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    assert "0 broken" in run(sys.executable, "-c", program, "--no-cache")


def test_ruff_finds_nothing():
    assert "All checks passed" in tool("ruff", "check")


def test_python_is_formatted():
    assert "already formatted" in tool("ruff", "format", "--check")


def test_types_are_strict_and_right():
    assert "Success" in tool("mypy")


def test_c_is_formatted():
    sources = native(*C_KINDS)
    assert len(sources) > 30
    run(Path(sys.executable).parent / "clang-format", "--dry-run", "--Werror", *sources)


@pytest.mark.parametrize(
    "source", [path for path in native(".cpp") if path.parent.name in ("frame", "grey")], ids=lambda path: path.name
)
def test_cplusplus_has_no_warnings(source, tmp_path):
    """C has its own run, tests/native/test_c_api.py."""
    run("g++", "-std=c++17", "-O2", *WARNINGS, f"-I{source.parent}", "-c", source, "-o", tmp_path / "object.o")
