"""The C tests of native/tests, compiled with sanitizers and warnings as errors, and as one plain line."""

import re
from platform import machine

import pytest
from kernels import INCLUDES, KERNELS, MACHINE, NATIVE, STRICT, SUITES, compile_kernels, compile_objects, run

from ehc.crypto import tiers

SANITIZERS = ["-g", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]  # lanes compile long with more
LIBC = {"memchr", "memcmp", "memcpy", "memset", "strcmp", *({"getauxval"} if machine() == "aarch64" else set())}
NO_FEATURES = '#include "cpu.h"\nunsigned ehc_cpu_features(void) { return 0; }\n'
PORTABLE_ONLY = """
#include <stdio.h>
#include <string.h>
#include "ehc.h"
int main(void)
{
    for (size_t i = 0; ehc_tier_name(i) != NULL; i++) {
        int portable = strncmp(ehc_tier_name(i), "portable", 8) == 0;
        if (ehc_init(ehc_tier_name(i)) != (portable ? EHC_OK : EHC_E_TIER_UNSUPPORTED))
            return 1;
    }
    if (ehc_init(NULL) != EHC_OK || ehc_init("nonsense") != EHC_E_TIER_UNKNOWN)
        return 2;
    puts(ehc_tier_chosen());
    return 0;
}
"""


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    return compile_kernels(tmp_path_factory.mktemp("objects"))


def assert_every_tier_ran(report):
    ran = dict(re.findall(r"^tier (\w+): (\d+) checks$", report, re.MULTILINE))
    assert list(ran) == [name for name, supported in tiers() if supported]
    assert all(int(checks) > 1000 for checks in ran.values())
    assert report.strip().endswith(" 0 failures")


def test_all_holds_under_address_and_undefined_behaviour_sanitizers(tmp_path):
    flags = [*STRICT, *SANITIZERS, "-D_DEFAULT_SOURCE"]
    objects = compile_objects(tmp_path / "o", [*KERNELS, *SUITES], *flags)
    run("gcc", *SANITIZERS, *objects.values(), "-o", tmp_path / "tests")
    assert_every_tier_ran(run(tmp_path / "tests"))


def test_one_plain_line_builds_and_all_holds_at_full_optimisation(tmp_path, objects):
    run("cc", "-O3", *INCLUDES, *objects.values(), *SUITES, "-o", tmp_path / "tests")
    assert_every_tier_ran(run(tmp_path / "tests"))


def test_without_wide_registers_the_constant_time_tier_is_chosen_and_the_vector_tiers_are_unsupported(
    tmp_path, objects
):
    (tmp_path / "cpu.c").write_text(NO_FEATURES)
    (tmp_path / "main.c").write_text(PORTABLE_ONLY)
    others = [path for name, path in objects.items() if name != "cpu.c"]
    run("gcc", *INCLUDES, tmp_path / "cpu.c", tmp_path / "main.c", *others, "-o", tmp_path / "tests")
    assert run(tmp_path / "tests") == "portable_ct\n"


def test_a_wrong_known_answer_is_caught_by_the_self_test(tmp_path, objects):
    """One entry of the portable S-box changed: ehc_init refuses the tier."""
    source = (NATIVE / "sm4/sm4_portable.c").read_text("utf-8")
    assert source.count("0xD6, 0x90") == 1
    (tmp_path / "sm4_portable.c").write_text(source.replace("0xD6, 0x90", "0xD6, 0x91"))
    (tmp_path / "main.c").write_text(
        '#include "ehc.h"\nint main(void) { return ehc_init("portable") == EHC_E_SELFTEST ? 0 : 1; }\n'
    )
    others = [path for name, path in objects.items() if name != "sm4_portable.c"]
    run("gcc", *INCLUDES, *tmp_path.glob("*.c"), *others, "-o", tmp_path / "tests")
    run(tmp_path / "tests")


def test_the_kernels_export_ehc_names_only_and_need_five_functions_of_libc(objects):
    """No allocation, no output, no state of others: what ehc.h promises."""
    defined = set(re.findall(r" [A-TV-Z] (\w+)$", run("nm", *objects.values()), re.MULTILINE))
    undefined = set(re.findall(r" U (\w+)$", run("nm", *objects.values()), re.MULTILINE))
    assert defined
    assert {name for name in defined if not name.startswith("ehc_")} == set()
    assert {name for name in undefined if not name.startswith(("ehc_", "__cpu_", "_GLOBAL_", "__stack_chk"))} <= LIBC


def test_sm2_and_the_crypto_machine_have_no_warnings_and_names_of_ehc_and_the_standard_only(tmp_path):
    objects = compile_objects(tmp_path / "o", MACHINE, "-O2", "-D_GNU_SOURCE", *STRICT)
    defined = set(re.findall(r" [A-TV-Z] (\w+)$", run("nm", *objects.values()), re.MULTILINE))
    assert len(defined) > 10
    assert {name for name in defined if not name.startswith(("ehc_", "sdf_", "SDF_"))} == set()


def test_the_header_stands_alone_in_c_and_in_cplusplus(tmp_path):
    for compiler, name in (("gcc", "alone.c"), ("g++", "alone.cpp")):
        (tmp_path / name).write_text('#include "ehc.h"\nint size = sizeof(ehc_payload);\n')
        run(compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", *INCLUDES[:1], "-fsyntax-only", tmp_path / name)
