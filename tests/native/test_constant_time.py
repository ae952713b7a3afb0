"""ctgrind: no branch and no address depends on a secret; and the dudect harness sees a leak that is there.

valgrind 3.19 shows a program a processor without AVX-512, GFNI and VAES, so the tiers avx512 and vaes cannot run in it.
Their kernels are the bodies that avx2 includes too; native/tests/README.md says how their times are compared.
"""

import re
import subprocess

import pytest
from kernels import (
    INCLUDES,
    KERNELS,
    NATIVE,
    OPTIONS,
    STRICT,
    compile_kernels,
    compile_objects,
    needs,
    not_on_path,
    run,
)

CTGRIND = NATIVE / "tests/ctgrind.c"
WRAPS = [f"-Wl,--wrap={name}" for name in sorted(set(re.findall(r"__wrap_(\w+)\(", CTGRIND.read_text("utf-8"))))]
LEAKS = {"branch_on_a_secret", "look_up_by_a_secret"}  # on purpose
TABLE = {
    "key_schedule",
    "sm4",
    "derive",
    "rekey",
    "token_check",
    "bound_check",
    "compact_check",
    "token_kernels",
}  # what SM4's S-box table reaches
HIDDEN = {"avx512", "vaes"}  # by valgrind 3.19
UNSUPPORTED = 3


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """tier -> {subject: reports of memcheck}, or None for a tier that valgrind hides."""
    needs(not_on_path("valgrind"), "valgrind")
    folder = tmp_path_factory.mktemp("ctgrind")
    program, public = folder / "ctgrind", CTGRIND.with_name("ctgrind_public.h")
    derive = [path for path in KERNELS if path.parent.name == "derive"]  # where EHC_PUBLIC stands
    objects = compile_objects(folder / "o", [path for path in KERNELS if path not in derive], *OPTIONS)
    objects |= compile_objects(folder / "o", [*derive, CTGRIND], *OPTIONS, "-include", public)
    run("gcc", *objects.values(), *WRAPS, "-o", program)

    def under_valgrind(tier):
        command = ["valgrind", "--error-limit=no", f"--log-file={program}.{tier}", program, tier]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode in (0, UNSUPPORTED), done.stderr
        return dict(line.split() for line in done.stdout.splitlines()) if done.returncode == 0 else None

    return {tier: under_valgrind(tier) for tier in ("portable", "portable_ct", "avx2", "vaes", "avx512")}


def reported(subjects):
    return {name for name, count in subjects.items() if count != "0"}


def test_the_constant_time_tiers_use_no_secret_in_a_branch_or_an_address(reports):
    ran = {tier: subjects for tier, subjects in reports.items() if subjects is not None}
    assert {tier for tier in reports if tier not in ran} <= HIDDEN, "only what valgrind hides may be left out"
    for tier in ran.keys() - {"portable"}:
        assert reported(ran[tier]) == LEAKS, tier


def test_the_portable_tier_s_table_is_found_and_nothing_else_of_it(reports):
    """The test of the test: SM4's S-box indexed by secrets is seen wherever used; SM3, HMAC and compare are clean."""
    assert reported(reports["portable"]) == LEAKS | TABLE


def test_dudect_tells_a_comparison_that_stops_early_from_one_that_does_not(tmp_path):
    """Figures for ours need a quiet machine and minutes (native/tests/README.md): no gate here."""
    sources = [*compile_kernels(tmp_path / "o").values(), NATIVE / "tests/dudect.c"]
    run("gcc", "-O3", "-std=gnu11", *STRICT[1:], *INCLUDES, *sources, "-lm", "-o", tmp_path / "dudect")
    t = {
        name: abs(float(run(tmp_path / "dudect", name, "portable", "200000").split()[3])) for name in ("leak", "equal")
    }
    assert t["leak"] > 50
    assert t["leak"] > 5 * t["equal"]
