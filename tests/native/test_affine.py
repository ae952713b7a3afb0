"""The constants that turn the S-box of AES into that of SM4, derived from the two fields.

SM4 computes in GF(2)[x]/0x1F5, AES in GF(2)[x]/0x11B. The two fields are isomorphic in eight ways: x goes to one of the
eight roots of 0x1F5 in the AES field. For such an isomorphism F, with S(x) = A·inv(A·x + C) + C and
AES(y) = L·inv(y) + 0x63:  S(x) = POST(AES(PRE(x))),  PRE(x) = F(A·x + C),  POST(z) = A·F⁻¹(L⁻¹(z + 0x63)) + C.
"""

import re
from pathlib import Path

import pytest
from reference.sm4 import SBOX, affine, invert, multiply

BASE = Path(__file__).parents[2] / "native" / "base"
SM4_FIELD, AES_FIELD, C = 0x1F5, 0x11B, 0xD3
BYTES = range(256)


def a(x):
    return affine(x, constant=0)


def power(x, n):
    result = 1
    for _ in range(n):
        result = multiply(result, x, AES_FIELD)
    return result


def evaluate(polynomial, x):
    result = 0
    for i in range(9):
        result ^= power(x, i) if polynomial >> i & 1 else 0
    return result


def isomorphism(root):
    """F as a table: the bits of a byte are the coefficients of powers of the root."""
    powers = [power(root, i) for i in range(8)]
    return [xor(powers[i] for i in range(8) if x >> i & 1) for x in BYTES]


def xor(values):
    result = 0
    for value in values:
        result ^= value
    return result


def rotl8(x, n):
    return (x << n | x >> (8 - n)) & 0xFF


def aes_linear(y):
    return y ^ rotl8(y, 1) ^ rotl8(y, 2) ^ rotl8(y, 3) ^ rotl8(y, 4)


AES_SBOX = [aes_linear(invert(y, AES_FIELD)) ^ 0x63 for y in BYTES]
ROOTS = [x for x in BYTES if evaluate(SM4_FIELD, x) == 0]
CHOICES = [isomorphism(root) for root in ROOTS]


def inverse(table):
    assert sorted(table) == list(BYTES)
    return [table.index(x) for x in BYTES]


def pre(f):
    return [f[a(x) ^ C] for x in BYTES]


def post(f):
    back, unlinear = inverse(f), inverse([aes_linear(y) for y in BYTES])
    return [a(back[unlinear[z ^ 0x63]]) ^ C for z in BYTES]


def tables(header):
    """{name: table of 256} of the nibble look-ups NAME_LOW and NAME_HIGH."""
    rows = {
        name: [int(value, 16) & 0xFF for value in re.findall(r"-?0x[0-9A-Fa-f]+", values)]
        for name, values in re.findall(r"#define (\w+)\s+(?:\\\s*)?REPEAT16\(((?:[^()]|\n)*)\)", header)
    }
    names = [name.removesuffix("_LOW") for name in rows if name.endswith("_LOW")]
    return {name: [rows[f"{name}_LOW"][x & 15] ^ rows[f"{name}_HIGH"][x >> 4] for x in BYTES] for name in names}


@pytest.fixture(scope="module")
def avx2():
    return (BASE / "lanes_avx2.h").read_text("utf-8")


@pytest.fixture(scope="module")
def chosen(avx2):
    """The isomorphism that lanes_avx2.h was made with."""
    entered = tables(avx2)["ENTER"]
    (f,) = [f for f in CHOICES if [f[a(x)] for x in BYTES] == entered]
    return f


def test_the_aes_sbox_of_this_file_is_that_of_fips_197():
    assert bytes(AES_SBOX[:4]).hex() == "637c777b"
    assert AES_SBOX[0x53] == 0xED
    assert sorted(AES_SBOX) == list(BYTES)


def test_there_are_eight_isomorphisms_and_each_carries_sums_and_products():
    assert len(ROOTS) == 8
    for f in CHOICES:
        for x in range(0, 256, 7):
            for y in BYTES:
                assert f[x ^ y] == f[x] ^ f[y]
                assert f[multiply(x, y, SM4_FIELD)] == multiply(f[x], f[y], AES_FIELD)


@pytest.mark.parametrize("choice", range(8))
def test_every_choice_gives_the_sbox_on_all_256_inputs(choice):
    into, out = pre(CHOICES[choice]), post(CHOICES[choice])
    assert bytes(out[AES_SBOX[into[x]]] for x in BYTES) == SBOX


def test_the_words_enter_and_leave_the_aes_field_by_one_of_the_eight(avx2, chosen):
    leave = tables(avx2)["LEAVE"]
    assert [leave[chosen[a(x)]] for x in BYTES] == list(BYTES)


def test_keys_carry_the_constant_of_pre(avx2, chosen):
    found = re.findall(r"sm4_(enter|leave)_key\(vec x\)\s*\{[^}]*_mm256_set1_epi8\((0x[0-9A-F]+)\)", avx2)
    assert {name: int(value, 16) for name, value in found} == {"enter": chosen[C], "leave": chosen[C]}


def test_the_look_ups_behind_aesenclast_are_post_and_its_parts_of_l(avx2, chosen):
    """Byte k of L(B), GB/T 32907 6.2: (B_k + B_k<<2) + r(B_k+1) + r(B_k+2) + (B_k+3 + B_k+3>>6)."""
    found, out = tables(avx2), post(chosen)
    enter = found["ENTER"]
    assert found["POST"] == out
    assert found["POST_P"] == [enter[out[z] ^ (out[z] << 2 & 0xFF)] for z in BYTES]
    assert found["POST_Q"] == [enter[rotl8(out[z], 2)] for z in BYTES]
    for z in BYTES:
        assert found["POST_P"][z] ^ found["POST_Q"][z] == enter[out[z] ^ out[z] >> 6]


def test_the_look_ups_for_slices_are_parts_of_l_and_of_the_key_schedule_s(avx2, chosen):
    """Byte k of L'(B), 7.3: B_k + B_k+1<<5 + (B_k+2>>3 + B_k+2<<7) + B_k+3>>1; the second is added to every one."""
    found, out = tables(avx2), post(chosen)
    enter = found["ENTER"]
    assert found["POST_R"] == [enter[out[z] ^ out[z] >> 6] for z in BYTES]
    for z in BYTES:
        b, all_have = out[z], out[z] << 5 & 0xFF
        assert found["KEY_0"][z] == enter[b ^ all_have]
        assert found["KEY_2"][z] == enter[b >> 3 ^ b << 7 & 0xFF ^ all_have]
        assert found["KEY_3"][z] == enter[b >> 1 ^ all_have]
        assert found["KEY_SUM"][z] == enter[(b ^ out[0]) << 5 & 0xFF]


def test_the_slices_of_fk_are_entered_as_keys(avx2, chosen):
    slices = (BASE.parent / "sm4" / "sm4_slices_body.h").read_text("utf-8")
    found = re.findall(r"0x[0-9A-F]{2}", re.search(r"FK\[4\]\[4\] = \{(.*?)\};", slices, re.S).group(1))
    fk = bytes.fromhex("A3B1BAC6 56AA3350 677D9197 B27022DC")
    assert [int(value, 16) for value in found] == [tables(avx2)["ENTER"][b] ^ chosen[C] for b in fk]


def test_the_matrices_of_gfni_are_one_of_the_eight_too():
    """GF2P8AFFINEQB: bit i is the parity of the byte and byte 7 - i of the matrix, plus bit i of the constant."""
    header = (BASE / "lanes_avx512.h").read_text("utf-8")
    values = dict(re.findall(r"#define (\w+) \(?(-?0x[0-9A-F]+)(?:LL)?\)?", header))

    def gfni(name):
        matrix = (int(values[name], 16) % 2**64).to_bytes(8, "little")
        constant = int(values[f"{name}_CONSTANT"], 16)
        return [xor(((matrix[7 - i] & x).bit_count() & 1) << i for i in range(8)) ^ constant for x in BYTES]

    into, out = gfni("PRE"), gfni("POST")
    assert into in [pre(f) for f in CHOICES]
    assert bytes(out[invert(into[x], AES_FIELD)] for x in BYTES) == SBOX
