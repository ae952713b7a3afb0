"""libehcreader.so with AddressSanitizer and UndefinedBehaviorSanitizer, driven by the tests of its C interface."""

import os
import subprocess
import sys

from kernels import GCC, INCLUDES, KERNELS, NATIVE, READER, ROOT, compile_objects, run

SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
OF_THE_BUILD = "test_it_shows or test_the_header or test_the_example"
"""What looks at the library as it was built, or compiles: nothing runs in it."""


def compiled(source, folder):
    language = ["-std=c++17"] if source.suffix == ".cpp" else ["-std=c11", "-D_GNU_SOURCE"]
    compiler = [*GCC[:-1], "g++"] if source.suffix == ".cpp" else GCC
    target = folder / f"{source.stem}.o"
    run(*compiler, *language, *SANITIZERS, "-fPIC", *INCLUDES, "-c", source, "-o", target)
    return target


def test_the_library_holds_under_address_and_undefined_behaviour_sanitizers(tmp_path):
    kernels = compile_objects(tmp_path / "kernels", KERNELS, "-O0", "-fPIC")
    objects = [*kernels.values(), *(compiled(source, tmp_path) for source in READER)]
    exports = f"-Wl,--version-script={NATIVE / 'reader/reader.map'}"
    library = tmp_path / "libehcreader.so"
    run("g++", "-shared", *SANITIZERS, *objects, exports, "-ldl", "-pthread", "-o", library)
    environment = {
        **os.environ,
        "EHC_READER_UNDER_TEST": str(library),
        "LD_PRELOAD": " ".join(run("gcc", f"-print-file-name={one}").strip() for one in ("libasan.so", "libstdc++.so")),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", f"not ({OF_THE_BUILD})"]
    tests = ROOT / "tests/native/test_reader_library.py"
    done = subprocess.run([*command, tests], check=False, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
