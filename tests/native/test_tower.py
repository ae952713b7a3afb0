"""The constants of lanes_portable_ct.h: the field of SM4 as GF(16)[Y]/(Y² + Y + 9), GF(16) = GF(2)[z]/(z⁴ + z + 1).

The header's matrices must be x -> F(A·x + C) and z -> A·F⁻¹(z) + C of one isomorphism F; that the C code computes in
this tower is what the known answers and the campaign against the portable tier show.
"""

import re
from pathlib import Path

import pytest
from reference.sm4 import SBOX, affine, multiply

HEADER = (Path(__file__).parents[2] / "native/base/lanes_portable_ct.h").read_text("utf-8")
C, NU = 0xD3, 9
BYTES = range(256)


def multiply16(a, b):
    product = 0
    for i in range(4):
        product ^= a << i if b >> i & 1 else 0
    for i in (6, 5, 4):
        product ^= 0b10011 << (i - 4) if product >> i & 1 else 0
    return product


def multiply_tower(x, y):
    """(a·Y + b)·(c·Y + d) with Y² = Y + 9."""
    a, b, c, d = x >> 4, x & 15, y >> 4, y & 15
    ac = multiply16(a, c)
    return (ac ^ multiply16(a, d) ^ multiply16(b, c)) << 4 | multiply16(b, d) ^ multiply16(ac, NU)


def constant(name):
    return int(re.search(rf"{name}_CONSTANT = (0x[0-9A-F]+)", HEADER)[1], 16)


def image(name):
    """The affine map as a table: bit k of the image is the parity of the byte and row k."""
    rows = [int(row, 16) for row in re.search(rf"{name}\[8\] = {{(.*)}}", HEADER)[1].split(",")]
    return [sum(((rows[k] & x).bit_count() & 1) << k for k in range(8)) ^ constant(name) for x in BYTES]


@pytest.fixture(scope="module")
def isomorphism():
    """F, read off INTO_TOWER: F(y) where y = A·x + C."""
    into = image("INTO_TOWER")
    return {affine(x): into[x] for x in BYTES}


def test_the_constant_of_the_affine_map_is_that_of_the_standard():
    assert affine(0) == C == constant("OUT_OF_TOWER")


def test_the_map_into_the_tower_carries_sums_and_products(isomorphism):
    assert sorted(isomorphism.values()) == list(BYTES)
    for x in range(0, 256, 5):
        for y in BYTES:
            assert isomorphism[x ^ y] == isomorphism[x] ^ isomorphism[y]
            assert isomorphism[multiply(x, y, 0x1F5)] == multiply_tower(isomorphism[x], isomorphism[y])


def test_the_map_out_of_the_tower_leads_back_through_the_affine_map(isomorphism):
    out = image("OUT_OF_TOWER")
    assert [out[isomorphism[y]] for y in BYTES] == [affine(y) for y in BYTES]


def test_inversion_in_the_tower_between_the_two_maps_is_the_sbox():
    into, out = image("INTO_TOWER"), image("OUT_OF_TOWER")
    inverse = [next((y for y in BYTES if multiply_tower(x, y) == 1), 0) for x in BYTES]
    assert bytes(out[inverse[into[x]]] for x in BYTES) == SBOX


def test_the_square_times_nine_is_as_the_header_writes_it():
    for a in range(16):
        bit = [a >> k & 1 for k in range(4)]
        written = bit[0] | (bit[1] ^ bit[3]) << 1 | bit[3] << 2 | (bit[0] ^ bit[2]) << 3
        assert written == multiply16(NU, multiply16(a, a))
