"""What a checklist of demands (`DEMANDS.md`, `ASVS.md`) may name: the tests there are, and files."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = {
    node.name
    for path in Path(__file__).parent.rglob("test_*.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def demands(path: Path, letters: str) -> list[list[str]]:
    """The rows of a checklist whose numbers begin with one of the letters: number, asks, how, shown by."""
    lines = path.read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:5]] for line in lines if re.match(rf"\| [{letters}]\d", line)]


def missing_of(row: list[str]) -> list[str]:
    """What a row names that is neither a test nor a file; the row itself where it names nothing."""
    shown = re.findall(r"`([^`]+)`", row[3])
    return [name for name in shown if name not in TESTS and not (ROOT / name).is_file()] if shown else [row[0]]
