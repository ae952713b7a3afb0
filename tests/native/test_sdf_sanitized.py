"""libehcsdf.so and SM2 with AddressSanitizer and UndefinedBehaviorSanitizer, driven by the tests of its C interface."""

import os
import subprocess
import sys

from kernels import KERNELS, MACHINE, NATIVE, ROOT, STRICT, compile_objects, run

SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
LIBRARY = ["-fPIC", "-D_GNU_SOURCE"]


def test_the_crypto_machine_holds_under_address_and_undefined_behaviour_sanitizers(tmp_path):
    kernels = compile_objects(tmp_path / "kernels", KERNELS, "-O0", "-fPIC")
    machine = compile_objects(tmp_path / "machine", MACHINE, *LIBRARY, *SANITIZERS, *STRICT)
    objects = [*kernels.values(), *machine.values()]
    exports = f"-Wl,--version-script={NATIVE / 'sdf/sdf.map'}"
    run("gcc", "-shared", *SANITIZERS, *objects, exports, "-ldl", "-pthread", "-o", tmp_path / "libehcsdf.so")
    environment = {
        **os.environ,
        "EHC_SDF_UNDER_TEST": str(tmp_path / "libehcsdf.so"),
        "LD_PRELOAD": run("gcc", "-print-file-name=libasan.so").strip(),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own
    }
    tests = sorted((ROOT / "tests/machine").glob("test_sdf_*.py"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
