"""The folder again on every other tier, and what EHC_ISA does. A tier is chosen at import, so each run is a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ehc.crypto import tier, tiers

HERE = Path(__file__)
# the parser is one for all tiers; SM2 is libcrypto's, and keys are held in memory without a kernel
NO_TIER = [HERE.name, "test_payload_grammar.py", "test_core_import.py", "test_sm2.py", "test_secret_memory.py"]
OTHERS = [name for name, supported in tiers() if supported and name != tier()]


def python(*arguments, **environ):
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        cwd=HERE.parents[2],
    )


def test_the_tier_that_was_asked_for_runs():
    assert os.environ.get("EHC_ISA", tier()) == tier()


@pytest.mark.skipif("EHC_ISA" in os.environ, reason="a tier is forced: only that one is wanted")
@pytest.mark.parametrize("name", OTHERS)
def test_the_whole_folder_holds_on_tier(name):
    ignored = [f"--ignore={HERE.parent / file}" for file in NO_TIER]
    run = python("-m", "pytest", "-p", "no:cacheprovider", str(HERE.parent), *ignored, EHC_ISA=name)
    assert run.returncode == 0, run.stdout[-5000:]
    assert f"ehc tier: {name}\n" in run.stdout
    assert " passed" in run.stdout


def test_portable_is_the_last_tier_and_always_supported():
    assert tiers()[-1] == ("portable", True)


def test_the_first_supported_tier_is_chosen():
    environ = {name: value for name, value in os.environ.items() if name != "EHC_ISA"}
    command = [sys.executable, "-c", "import ehc.crypto as c; print(c.tier())"]
    assert subprocess.check_output(command, env=environ, text=True).strip() == next(
        name for name, supported in tiers() if supported
    )


@pytest.mark.parametrize("name", ["nonsense", "", "AVX2", "portable ", "\udcff"])
def test_an_unknown_tier_is_an_import_error_that_lists_the_tiers(name):
    run = python("-c", "import ehc.crypto", EHC_ISA=name)
    assert run.returncode != 0
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: EHC_ISA={name!r} names no tier")
    assert all(compiled in last for compiled, _ in tiers())


@pytest.mark.skipif(all(supported for _, supported in tiers()), reason="this processor runs every tier")
def test_an_unsupported_tier_is_an_import_error_that_says_so():
    name = next(name for name, supported in tiers() if not supported)
    run = python("-c", "import ehc.crypto", EHC_ISA=name)
    assert "ImportError" in run.stderr
    assert "this processor cannot run that tier" in run.stderr
