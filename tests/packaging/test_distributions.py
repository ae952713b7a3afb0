"""sdist and wheel: built once, looked into, and the wheel's core run."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import ehc

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NATIVE = ROOT / "native"
CORES = ("_native", "_frame", "_grey")


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], check=False, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def build(kind, source, folder):
    run(sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", folder, source, cwd=folder)
    (made,) = [path for path in folder.iterdir() if path.name.startswith("ehc-")]
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Unpacked. The tree it is made from holds what a developer's builds leave behind."""
    folder = tmp_path_factory.mktemp("sdist")
    tree = folder / "tree"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "bench")
    shutil.copytree(ROOT, tree, ignore=left_out)
    for name in ("ehc/_native.cpython-311-x86_64-linux-gnu.so", "native/bindings/_native.c", "native/base/cpu.o"):
        (tree / name).write_text("left behind by a build")
    (folder / "made").mkdir()
    with tarfile.open(build("sdist", tree, folder / "made")) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"ehc-{PROJECT['version']}"


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel file, built from the unpacked sdist alone."""
    return build("wheel", sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def python_files(folder):
    return {f"ehc/{name}" for name in files(folder / "ehc") if name.endswith((".py", ".pyi")) or name == "ehc/py.typed"}


def test_the_sdist_holds_every_source_and_header_of_the_core(sdist):
    rooms = ("base", "bindings", "derive", "frame", "grey", "host", "include", "reader")
    rooms += ("sdf", "sm2", "sm3", "sm4", "token")
    kinds = {".c", ".h", ".cpp", ".hpp", ".pyx", ".pxd", ".pxi", ".map"}
    sources = {p.relative_to(ROOT).as_posix() for room in rooms for p in (NATIVE / room).iterdir() if p.suffix in kinds}
    sources -= {"native/bindings/_native.c"}
    assert len(sources) > 30
    assert sources <= files(sdist)


def test_the_sdist_holds_every_python_file_the_stubs_the_readme_and_the_licence(sdist):
    assert python_files(ROOT) <= files(sdist)
    assert {"README.md", "LICENSE", "pyproject.toml", "setup.py", "ehc/py.typed", "PKG-INFO"} <= files(sdist)


def test_the_sdist_holds_nothing_that_a_build_made(sdist):
    assert [name for name in files(sdist) if name.endswith((".so", ".o", ".a", ".pyc"))] == []
    assert "native/bindings/_native.c" not in files(sdist)


def test_the_wheel_holds_the_package_the_modules_the_two_libraries_and_nothing_else(installed):
    names = {name for name in files(installed) if not name.startswith(f"ehc-{PROJECT['version']}.dist-info/")}
    modules = {name for name in names if name.endswith(".so")}
    assert {name.split(".")[0] for name in modules} == {f"ehc/{core}" for core in (*CORES, "libehcsdf", "libehcreader")}
    assert len(modules) == 5
    other = {name for name in names - modules if not name.endswith((".py", ".pyi"))}
    console = {str(path.relative_to(ROOT)) for path in (ROOT / "ehc/web/console").glob("[ts]*/*.[a-z]*")}
    assert {"ehc/py.typed", "ehc/web/console/templates/catalogue.toml", *console} <= other
    data = {".typed", ".mako", ".html", ".css", ".svg", ".js", ".toml", ".json", ".lua"}
    assert {Path(name).suffix for name in other} <= data
    assert not any("test" in Path(name).parts[1] for name in names)
    assert {name.split("/")[0] for name in names} == {"ehc"}


def test_the_wheel_holds_every_python_file_the_stubs_and_the_migrations(installed):
    assert python_files(ROOT) <= files(installed)
    assert {f"ehc/{core}.pyi" for core in CORES} <= files(installed)
    migrations = {name for name in files(installed) if name.startswith("ehc/store/migrations/versions/step_")}
    assert migrations


def test_the_modules_export_their_init_function_only(installed):
    for core in CORES:
        (module,) = (installed / "ehc").glob(f"{core}.*.so")
        exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", module, cwd=ROOT).splitlines()]
        assert exported == [f"PyInit_{core}"]


def test_the_crypto_machine_exports_the_standards_functions_only(installed):
    exported = run("nm", "-D", "--defined-only", installed / "ehc/libehcsdf.so", cwd=ROOT).splitlines()
    assert len(exported) == 75
    assert all(line.split()[-1].startswith("SDF_") for line in exported)


def test_the_version_is_one_everywhere(wheel, installed):
    (info,) = installed.glob("*.dist-info")
    metadata = message_from_bytes((info / "METADATA").read_bytes())
    assert metadata["Version"] == PROJECT["version"] == ehc.__version__
    assert wheel.name.startswith(f"ehc-{PROJECT['version']}-cp")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert files(info) >= {"entry_points.txt", "licenses/LICENSE"}


def test_the_core_of_the_wheel_runs_from_where_it_was_unpacked(installed):
    program = f"""
import sys
sys.path.insert(0, {str(installed)!r})
import ehc, ehc._frame
from ehc.crypto import derive_batch
key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
card_id = derive_batch([("01", "11010020171225006X", "电子健康卡")], key).hex().card_id[0]
print(ehc.__file__, ehc._frame.__file__, card_id)
"""
    *places, card_id = run(sys.executable, "-c", program, cwd=installed).split()
    assert all(Path(place).is_relative_to(installed) for place in places)
    assert card_id == "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"


def test_nothing_is_built_for_this_processor_alone():
    """The result must run on every processor of the architecture: no -march=native, no -mtune=native, anywhere."""
    tracked = run("git", "ls-files", "setup.py", "pyproject.toml", "native", ".ci", ".github", cwd=ROOT).split()
    assert "setup.py" in tracked
    for name in tracked:
        assert not re.search(rb"-m(arch|tune|cpu)=native", (ROOT / name).read_bytes()), name
