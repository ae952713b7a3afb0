"""`ehc sdf` as an operator runs it: real processes, a real folder."""

import os
import subprocess
import sys

import pytest

EHC = [sys.executable, "-m", "ehc.cli", "sdf"]


@pytest.fixture
def ehc(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "EHC_SDF_HOME": str(tmp_path / "machine")}

    def run(*arguments, stdin=""):
        done = subprocess.run(
            [*EHC, *arguments], input=stdin, check=False, capture_output=True, text=True, env=environment
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_machine_is_made_filled_and_reported_on(ehc, tmp_path):
    code, said, _ = ehc("init")
    assert code == 0
    serial = said.split()[1]
    assert ehc("add-kek", "--index", "1") == (0, "KEK 1\n", "")
    assert ehc("add-pair", "--index", "1", stdin="a long password\n")[0] == 0
    code, said, _ = ehc("report")
    assert code == 0
    assert f"libehcsdf {serial}" in said
    assert "no:" not in said
    code, _, error = ehc("init")
    assert code == 7
    assert "nothing was changed" in error
    code, _, error = ehc("add-kek", "--index", "1")
    assert (code, "has that already" in error) == (7, True)
    code, _, error = ehc("add-pair", "--index", "2", stdin="short\n")
    assert (code, "8 to 128 bytes" in error) == (3, True)


@pytest.mark.parametrize(
    ("path", "said"), [("/nowhere.so", "cannot be loaded"), ("libm.so.6", "is no GM/T 0018 library: SDF_OpenDevice")]
)
def test_a_library_that_is_none_is_named(ehc, path, said):
    code, _, error = ehc("report", path)
    assert code == 6
    assert said in error


def test_a_device_that_does_not_open_is_named(ehc):
    code, shown, error = ehc("report")
    assert code == 3
    assert "sign" in shown
    assert "SDR_OPENDEVICE" in error
