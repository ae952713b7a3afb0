"""The stubs say of the compiled modules what is true."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ehc._frame
import ehc._grey
import ehc._native

ROOT = Path(__file__).parents[2]
MODULES = {"_native": ehc._native, "_frame": ehc._frame, "_grey": ehc._grey}
ALLOWED = """
ehc\\._native\\.(\\w+\\.)?__(reduce_cython|setstate_cython|test)__
# names of types, for the stub's own use
ehc\\._frame\\.(Buffer|Grey|PixelFormat)
ehc\\._grey\\.(Grey|Quad)
# pybind11's metaclass
ehc\\._frame\\.FramePipeline
ehc\\._grey\\.(GreyCore|GreySymbol)(\\.__init__)?
"""


def public(names):
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_stands_in_the_stub_and_the_other_way_round(name):
    tree = ast.parse((ROOT / f"ehc/{name}.pyi").read_text("utf-8"))
    stub = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    module = MODULES[name]
    imported = {"np", "os", "MemberDescriptorType", "InputError", "Unavailable"}
    assert public(dir(module)) - imported == public(stub)
    for kind in (node for node in stub.values() if isinstance(node, ast.ClassDef)):
        assert public(members(kind, stub)) == public(dir(getattr(module, kind.name))), kind.name


def members(kind, stub):
    """Its own and those of its bases."""
    own = {node.name for node in kind.body if isinstance(node, ast.FunctionDef)}
    own |= {node.target.id for node in kind.body if isinstance(node, ast.AnnAssign)}
    bases = [stub[base.id] for base in kind.bases if isinstance(base, ast.Name)]
    return own.union(*(members(base, stub) for base in bases))


def test_mypys_stubtest_finds_no_difference(tmp_path):
    (tmp_path / "allowed").write_text(ALLOWED)
    command = [
        sys.executable,
        "-m",
        "mypy.stubtest",
        "ehc._native",
        "ehc._frame",
        "ehc._grey",
        "--allowlist",
        tmp_path / "allowed",
    ]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Success" in done.stdout
