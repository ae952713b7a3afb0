"""What a checklist of demands (`DEMANDS.md`, `ASVS.md`) may name: the tests there are."""

import ast
from pathlib import Path

TESTS = {
    node.name
    for path in Path(__file__).parent.rglob("test_*.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}
