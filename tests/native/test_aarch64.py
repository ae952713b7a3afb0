"""The AArch64 tiers, cross-compiled and run under qemu-user (or natively where this is such a machine).

`-cpu max` has the SM3, SM4 and AES instructions, cortex-a72 AES only: each must choose its own tier. qemu has no
processor without AES, so neon_tbl is chosen by a program whose cpu.c knows NEON only, and runs forced on the others.
"""

import re
from platform import machine

import pytest
from kernels import INCLUDES, KERNELS, NATIVE, OPTIONS, SUITES, needs, not_on_path, run

NATIVELY = machine() == "aarch64"
COMPILER = "gcc" if NATIVELY else "aarch64-linux-gnu-gcc"
QEMU = "qemu-aarch64-static"
TIERS = ["armv8", "neon", "neon_tbl", "portable_ct", "portable"]
CHOSEN = {"max": "armv8", "cortex-a72": "neon"}
NEON_ONLY = '#include "cpu.h"\nunsigned ehc_cpu_features(void) { return CPU_NEON; }\n'
WHICH = """
#include <stdio.h>
#include "ehc.h"
int main(void)
{
    for (size_t i = 0; ehc_tier_name(i) != NULL; i++)
        printf("%s %d\\n", ehc_tier_name(i), ehc_init(ehc_tier_name(i)));
    printf("chosen %d ", ehc_init(NULL));
    puts(ehc_tier_chosen());
    return 0;
}
"""
MISSING = not_on_path(COMPILER, *(() if NATIVELY else (QEMU,)))


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """{name: statically linked AArch64 program}, compiled without a warning."""
    needs(MISSING, "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static")
    folder = tmp_path_factory.mktemp("aarch64")
    (folder / "which.c").write_text(WHICH)
    (folder / "neon_only.c").write_text(NEON_ONLY)
    run(COMPILER, *OPTIONS, "-D_DEFAULT_SOURCE", *INCLUDES, "-c", *KERNELS, cwd=folder)
    objects = sorted(folder.glob("*.o"))
    mains = {"suites": SUITES, "campaign": [NATIVE / "tests/campaign.c"], "which": [folder / "which.c"]}
    for name, sources in mains.items():
        run(COMPILER, "-O3", "-D_DEFAULT_SOURCE", "-static", *INCLUDES, *sources, *objects, "-o", folder / name)
    others = [path for path in objects if path.name != "cpu.o"]
    sources = [folder / "which.c", folder / "neon_only.c"]
    run(COMPILER, "-static", *INCLUDES, *sources, *others, "-o", folder / "neon_only")
    return {name: folder / name for name in (*mains, "neon_only")}


def on(cpu, program, *arguments):
    return run(*([] if NATIVELY else [QEMU, "-cpu", cpu]), program, *arguments)


def test_the_one_plain_line_needs_no_flag_and_every_suite_holds_on_every_tier(programs):
    report = on("max", programs["suites"])
    ran = dict(re.findall(r"^tier (\w+): (\d+) checks$", report, re.MULTILINE))
    assert list(ran) == TIERS or NATIVELY
    assert all(int(checks) > 1000 for checks in ran.values())
    assert report.strip().endswith(" 0 failures")


def answers(report):
    return dict(line.rsplit(" ", 1) for line in report.splitlines())


def expected(best):
    """Tiers above the best are unsupported (2), the others come up (0)."""
    statuses = {name: "2" if i < TIERS.index(best) else "0" for i, name in enumerate(TIERS)}
    return statuses | {"chosen 0": best}


@pytest.mark.skipif(NATIVELY, reason="this machine has one processor")
@pytest.mark.parametrize("cpu", CHOSEN)
def test_the_best_tier_of_the_processor_is_chosen_and_those_above_it_are_unsupported(programs, cpu):
    assert answers(on(cpu, programs["which"])) == expected(CHOSEN[cpu])


def test_a_processor_without_the_aes_instructions_looks_the_sbox_up_in_registers(programs):
    assert answers(on("max", programs["neon_only"])) == expected("neon_tbl")


@pytest.mark.parametrize("cpu", CHOSEN)
def test_random_blocks_and_rows_come_out_as_on_the_portable_tier(programs, cpu):
    lines = on(cpu, programs["campaign"], 4, 20260101).splitlines()
    assert lines or NATIVELY
    assert all(line.endswith(": 32768 blocks and 16384 rows as portable") for line in lines)
    if not NATIVELY:
        assert [line.split()[1] for line in lines] == [f"{name}:" for name in TIERS[TIERS.index(CHOSEN[cpu]) : -1]]


def test_the_affine_maps_are_those_of_the_avx2_tier():
    """The same look-ups, proved in test_affine.py."""

    def tables(header, pattern):
        text = (NATIVE / "base" / header).read_text("utf-8")
        found = re.findall(pattern, text)
        return {name: [int(value, 0) & 0xFF for value in values.split(",")] for name, values in found}

    wide = tables("lanes_avx2.h", r"#define (\w+)\s+(?:\\\s*)?REPEAT16\(((?:-?[0-9][0-9A-Fx]*[,\s\\]*){16})\)")
    narrow = tables("lanes_neon.h", r"TABLE\(([A-Z]\w+), ((?:[0-9][0-9A-Fx]*[,\s]*){16})\)")
    for name in ("ENTER", "LEAVE", "POST", "POST_P", "POST_Q"):
        assert [narrow[f"{name}_{half}"] for half in ("LOW", "HIGH")] == [
            wide[f"{name}_{half}"] for half in ("LOW", "HIGH")
        ]
    for turn in ("ROTATE_0", "ROTATE_8", "ROTATE_16", "ROTATE_24"):
        assert narrow[turn] == wide[turn]


def test_the_instructions_are_there():
    """Not a detour: the tier's objects hold the instructions that it is named after."""
    if MISSING:
        pytest.skip("no compiler for AArch64")
    for name, wanted in {
        "derive/derive_x4_armv8.c": {"sm3ss1", "sm3tt1a", "sm3tt2b", "sm3partw1", "sm4e", "sm4ekey"},
        "derive/derive_x4_neon.c": {"aese"},
        "derive/derive_x4_neon_tbl.c": {"tbx"},
    }.items():
        assembly = run(COMPILER, "-O3", *INCLUDES, "-S", "-o", "-", NATIVE / name)
        assert wanted <= set(re.findall(r"^\t(\w+)\t", assembly, re.MULTILINE))
