"""ehc.crypto is usable where only numpy is installed."""

import doctest
import os
import subprocess
import sys
from pathlib import Path

import ehc.crypto

ROOT = Path(__file__).parents[2]
SERVICE = [
    "msgspec",
    "starlette",
    "granian",
    "sqlalchemy",
    "alembic",
    "pyarrow",
    "typer",
    "rich",
    "cryptography",
    "PIL",
]
SERVICE += ["zxingcpp", "httpx", "segno"]
PROGRAM = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {SERVICE!r}:
            raise ImportError(name + " is not installed")

sys.meta_path.insert(0, Absent())
from ehc.crypto import check_token, derive_batch, make_token, sm3

card = derive_batch([("01", "11010020171225006X", "电子健康卡")], bytes(16)).hex().card_id[0]
assert check_token(card + ":0:" + make_token(1000, bytes(16)), bytes(16), 1000)
assert sm3(b"")
try:
    import msgspec
except ImportError:
    pass
else:
    sys.exit("the hook does not hold")
print(*sorted({{name.partition(".")[0] for name in sys.modules}} - sys.stdlib_module_names))
"""


def test_it_works_with_every_dependency_of_the_service_missing():
    run = subprocess.run([sys.executable, "-S", "-c", PROGRAM], check=False, capture_output=True, text=True, env=env())
    assert run.returncode == 0, run.stderr
    foreign = {name for name in run.stdout.split() if not name.startswith("_")} - {"cython_runtime"}
    assert foreign == {"ehc", "numpy"}


def env():
    """-S leaves out site's start files, which may import anything; the path stays."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


def test_the_docstrings_example_holds():
    result = doctest.testmod(ehc.crypto)
    assert result.attempted > 0
    assert result.failed == 0
