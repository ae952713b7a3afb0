"""The x86-64 SM3 and SM4 instructions, by a compiler that has them, on a processor that need not.

test_simde.py runs all suites with the instructions in plain C. Here it is the machine code itself: each of the
instructions traps, native/tests/sm_ni_traps.c decodes and computes it, and what comes out is held against the portable
tier. A trap takes up to 20 µs, so these are few rows; native/tests/README.md has the long run.
"""

import re
from platform import machine

import pytest
from kernels import INCLUDES, KERNELS, NATIVE, OPTIONS, STRICT, needs, not_on_path, run

from ehc.crypto import tiers

COMPILER = "clang-19"
INSTRUCTIONS = ["vsm3msg1", "vsm3msg2", "vsm3rnds2", "vsm4key4", "vsm4rnds4"]
UNITS = [path for path in KERNELS if path.stem.endswith("sm_ni") or path.name in ("dispatch.c", "sm3_portable.c")]
FEATURES = '#include "cpu.h"\nunsigned ehc_cpu_features(void) { return CPU_AVX2 | CPU_SM3 | CPU_SM4; }\n'
DIGEST = """
#include <stdio.h>
#include <string.h>
#include "ehc.h"

enum { ROWS = 40, LONGEST = 140 };
static const char ID[] = "0111010020171225006X";
static uint8_t data[ROWS * LONGEST], mindex[32 * ROWS], cards[32 * ROWS], old[32 * ROWS], new[32 * ROWS], status[ROWS];
static uint8_t macs[32 * ROWS], lengths[ROWS];
static uint32_t offsets[ROWS + 1];

static void show(const char *what, const uint8_t *from, size_t n)
{
    uint8_t digest[32], text[65] = {0};
    ehc_sm3(from, n, digest);
    ehc_hex(digest, 32, text);
    printf("%s %s\\n", what, text);
}

/* Rows of one SM3 block, of two and longer; blocks that fill a group and blocks that do not; single calls too. */
int main(int argc, char **argv)
{
    ehc_sm4_key key, other;
    uint8_t raw[16] = {1, 2, 3}, blocks[16 * 37], one[16];
    if (argc < 2 || ehc_init(argv[1]) != EHC_OK || strcmp(ehc_tier_chosen(), argv[1]) != 0)
        return 1;
    for (uint32_t i = 0; i < ROWS; i++) {
        memset(data + offsets[i], 'A' + (int)i % 26, LONGEST);
        memcpy(data + offsets[i], ID, sizeof ID - 1);
        lengths[i] = sizeof ID - 1;
        offsets[i + 1] = offsets[i] + (i % 8 == 7 ? LONGEST : i % 4 == 3 ? 60 + i : 20 + i % 30);
    }
    for (size_t i = 0; i < sizeof blocks; i++)
        blocks[i] = (uint8_t)(i * 7);
    ehc_sm4_set_key(&key, raw);
    ehc_sm4_set_key(&other, blocks);
    show("schedule", (const uint8_t *)&key, sizeof key);
    ehc_derive_batch(&key, data, offsets, lengths, ROWS, mindex, cards, status);
    show("mindex", mindex, sizeof mindex);
    show("cards", cards, sizeof cards);
    ehc_rekey_batch(&key, &other, data, offsets, lengths, ROWS, old, new, status);
    show("old", old, sizeof old);
    show("new", new, sizeof new);
    ehc_sm4_decrypt(&key, blocks, one, 1);
    show("one", one, sizeof one);
    ehc_sm4_encrypt(&key, blocks, blocks, 37);
    show("blocks", blocks, sizeof blocks);
    ehc_hmac_sm3(raw, 16, data, 300, macs);
    show("hmac", macs, 32);
    return 0;
}
"""


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """The units that hold or name the instructions, compiled without a warning."""
    if machine() != "x86_64":
        pytest.skip("these are instructions of x86-64")
    needs(not_on_path(COMPILER), COMPILER)
    folder = tmp_path_factory.mktemp("sm_ni")
    run(COMPILER, *OPTIONS, *INCLUDES, "-c", *UNITS, cwd=folder)
    return sorted(folder.glob("*.o"))


def test_each_instruction_is_there(tmp_path, objects):
    text = "".join(
        run(COMPILER, "-O3", *INCLUDES, "-S", "-o", "-", source) for source in UNITS if source.stem.endswith("sm_ni")
    )
    assert set(re.findall(r"^\t(vsm\w+)\t", text, re.MULTILINE)) == set(INSTRUCTIONS)


def test_a_compiler_without_the_instructions_leaves_the_tier_out(tmp_path):
    """clang 14 is one, whatever this machine's own compiler is."""
    needs(not_on_path("clang-14"), "clang-14")
    run("clang-14", "-O1", *STRICT, *INCLUDES, "-c", *UNITS, cwd=tmp_path)
    assert "ehc_derive_x8_sm_ni" not in run("nm", *sorted(tmp_path.glob("*.o")))


def test_the_machine_code_gives_the_portable_tier_s_answers(tmp_path, objects):
    if not dict(tiers()).get("avx2"):
        pytest.skip("the other instructions of these units need AVX2")
    (tmp_path / "features.c").write_text(FEATURES)
    (tmp_path / "digest.c").write_text(DIGEST)
    others = [path for path in KERNELS if path not in UNITS and path.name != "cpu.c"]
    traps = NATIVE / "tests/sm_ni_traps.c"
    run("gcc", "-O1", *STRICT, *INCLUDES, *tmp_path.glob("*.c"), traps, *others, *objects, "-o", tmp_path / "digest")
    assert run(tmp_path / "digest", "sm_ni") == run(tmp_path / "digest", "portable")
