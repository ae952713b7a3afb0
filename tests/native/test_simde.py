"""The x86 tiers without their processors: every intrinsic in plain C by SIMDe, all suites, on any x86-64 machine.

Compiled without any AVX flag, so GFNI, ternary logic and the 512-bit permutations are SIMDe's C. Its release in Debian
12 has no AESENCLAST: the last round of FIPS 197 5.1 stands here, with the S-box of test_affine.py. Nor has it the SM3
and SM4 instructions: native/tests/sm_ni_in_c.h has them, after Intel's pseudo-code.
"""

import re
from pathlib import Path
from platform import machine

import pytest
from kernels import INCLUDES, KERNELS, NATIVE, SUITES, needs, run
from test_affine import AES_SBOX

ALL_FEATURES = '#include "cpu.h"\nunsigned ehc_cpu_features(void) { return ~0u; }\n'
TIERS = ["avx512", "sm_ni", "vaes", "avx2", "portable_ct", "portable"]
INTRINSICS = """
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/gfni.h>
#include <stdint.h>
#include <string.h>

static const uint8_t AES_SBOX[256] = {%s};

/* SubBytes, ShiftRows (byte r + 4c comes from column c + r), AddRoundKey. */
static inline __m128i aes_last(__m128i state, __m128i key)
{
    uint8_t in[16], out[16];
    memcpy(in, &state, 16);
    for (int i = 0; i < 16; i++)
        out[i] = AES_SBOX[in[(i + 4 * (i %% 4)) %% 16]];
    memcpy(&state, out, 16);
    return _mm_xor_si128(state, key);
}
#define _mm_aesenclast_si128 aes_last

static inline __m256i aes_last_pair(__m256i state, __m256i key)
{
    __m128i low = aes_last(_mm256_castsi256_si128(state), _mm256_castsi256_si128(key));
    __m128i high = aes_last(_mm256_extracti128_si256(state, 1), _mm256_extracti128_si256(key, 1));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}
#define _mm256_aesenclast_epi128 aes_last_pair
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if machine() != "x86_64":
        pytest.skip("these are tiers of x86-64")
    needs([] if Path("/usr/include/simde").exists() else ["SIMDe"], "libsimde-dev")
    folder = tmp_path_factory.mktemp("simde")
    (folder / "intrinsics.h").write_text(INTRINSICS % ", ".join(map(str, AES_SBOX)))
    (folder / "cpu_all.c").write_text(ALL_FEATURES)
    kernels = [path for path in KERNELS if path.name != "cpu.c"]
    sources = [*kernels, folder / "cpu_all.c", *SUITES]
    flags = ["-O1", "-D_DEFAULT_SOURCE", f'-DEHC_SIMDE="{folder}/intrinsics.h"', "-w"]
    flags += [f"-I{NATIVE / 'tests'}", '-DEHC_SM_NI="sm_ni_intrinsics.h"']
    run("gcc", *flags, *INCLUDES, *sources, "-o", folder / "tests")
    return folder / "tests"


def test_every_suite_holds_on_every_x86_tier(program):
    report = run(program)
    ran = dict(re.findall(r"^tier (\w+): (\d+) checks$", report, re.MULTILINE))
    assert list(ran) == TIERS
    assert all(int(checks) > 1000 for checks in ran.values())
    assert report.strip().endswith(" 0 failures")


def test_none_of_the_instructions_it_stands_in_for_is_in_the_program(program):
    assembly = run("objdump", "-d", "--no-show-raw-insn", program)
    used = set(re.findall(r"\t(v\w+|gf2p8\w+|aes\w+) .*$", assembly, re.MULTILINE)) - {"verr", "verw"}
    assert used == set()
    assert "%zmm" not in assembly
