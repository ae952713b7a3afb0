"""libehcsdf.so, libehcreader.so and SM2 with AddressSanitizer and UndefinedBehaviorSanitizer, driven by the tests of
their C interfaces.
"""

import os
import re
import subprocess
import sys

import pytest
from kernels import INCLUDES, KERNELS, MACHINE, NATIVE, READER, ROOT, STRICT, compile_objects, run

SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
LIBRARY = ["-fPIC", "-D_GNU_SOURCE"]


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    kernels = compile_objects(folder / "kernels", KERNELS, "-O0", "-fPIC")
    machine = compile_objects(folder / "machine", MACHINE, *LIBRARY, *SANITIZERS, *STRICT)
    return [*kernels.values(), *machine.values()]


def test_the_self_test_names_what_is_broken(objects, tmp_path):
    source = NATIVE / "tests/broken_sdf.c"
    wrapped = [f"-Wl,--wrap={name}" for name in re.findall(r" __wrap_(\w+)", source.read_text("utf-8"))]
    flags = ["-D_GNU_SOURCE", *SANITIZERS, *STRICT, *INCLUDES]
    run("gcc", *flags, *wrapped, source, *objects, "-ldl", "-pthread", "-o", tmp_path / "broken_sdf")
    run("env", "ASAN_OPTIONS=detect_leaks=0", tmp_path / "broken_sdf")


def holds(library, name, tests, *options):
    """The tests of an interface over this library."""
    preloaded = ("libasan.so", "libstdc++.so")
    environment = {
        **os.environ,
        name: str(library),
        "LD_PRELOAD": " ".join(run("gcc", f"-print-file-name={one}").strip() for one in preloaded),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def test_the_crypto_machine_holds_under_address_and_undefined_behaviour_sanitizers(objects, tmp_path):
    exports = f"-Wl,--version-script={NATIVE / 'sdf/sdf.map'}"
    run("gcc", "-shared", *SANITIZERS, *objects, exports, "-ldl", "-pthread", "-o", tmp_path / "libehcsdf.so")
    tests = sorted((ROOT / "tests/machine").glob("test_sdf_*.py"))
    holds(tmp_path / "libehcsdf.so", "EHC_SDF_UNDER_TEST", tests)


def test_the_reader_holds_under_address_and_undefined_behaviour_sanitizers(objects, tmp_path):
    for source in READER:
        language = ["g++", "-std=c++17"] if source.suffix == ".cpp" else ["gcc", "-std=c11"]
        target = tmp_path / f"{source.stem}.o"
        run(*language, *LIBRARY, *SANITIZERS, *INCLUDES, "-c", source, "-o", target)
    exports, own = f"-Wl,--version-script={NATIVE / 'reader/reader.map'}", sorted(tmp_path.glob("*.o"))
    run("g++", "-shared", *SANITIZERS, *own, *objects, exports, "-ldl", "-pthread", "-o", tmp_path / "libehcreader.so")
    built = "it_shows or the_header or the_example"  # what looks at the library as it was built, or compiles
    tests = [ROOT / "tests/native/test_reader_library.py"]
    holds(tmp_path / "libehcreader.so", "EHC_READER_UNDER_TEST", tests, "-k", f"not ({built})")
