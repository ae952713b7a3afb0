"""Shamir over GF(2^8): every subset, forged shares by name, a machine that computes wrongly."""

import itertools
import os
import random

import pytest

from ehc.errors import InputError, KeyringError
from ehc.keys import shares
from ehc.keys.shares import Share, combine, forged, split

SECRET = bytearray(range(1, 33))


@pytest.mark.parametrize(("needed", "count"), [(m, n) for n in range(2, 9) for m in range(2, n + 1)])
def test_every_subset_of_enough_shares_gives_the_secret_and_none_of_fewer(needed, count):
    secret = bytearray(os.urandom(16))
    made = split(secret, needed, count, os.urandom)
    assert [share.index for share in made] == list(range(1, count + 1))
    for size in range(2, count + 1):
        for some in itertools.combinations(made, size):
            assert (combine(some) == secret) == (size >= needed)


def test_what_fewer_shares_give_says_nothing_about_the_secret():
    """Of 2 of 2 with every value of the one random byte, each share takes every value once, whatever the secret is."""
    for secret in (0, 1, 255):
        seen = {bytes(split(bytearray([secret]), 2, 2, lambda n, c=c: bytes([c] * n))[1].value) for c in range(256)}
        assert len(seen) == 256


def test_many_shares():
    made = split(SECRET, 100, 255, os.urandom)
    assert combine(random.Random(1).sample(made, 100)) == SECRET


def multiply(a, b):
    """Carry-less, then reduced: another way than the module's."""
    product = 0
    for i in range(8):
        if b >> i & 1:
            product ^= a << i
    for i in range(14, 7, -1):
        if product >> i & 1:
            product ^= 0x11B << i - 8
    return product


def test_the_field_is_that_of_aes():
    for a, b in itertools.product(range(0, 256, 5), range(256)):
        assert shares._times(a, b) == multiply(a, b)
    assert shares._times(0x57, 0x83) == 0xC1  # FIPS 197, 4.2
    assert all(multiply(a, shares._inverse(a)) == 1 for a in range(1, 256))


def test_shares_are_the_values_of_the_polynomial():
    coefficients = iter((7, 9))
    one = split(bytearray([0x2A]), 3, 5, lambda n: bytes([next(coefficients)] * n))
    for share in one:
        x = share.index
        assert share.value[0] == 0x2A ^ multiply(7, x) ^ multiply(9, multiply(x, x))


def test_a_forged_share_is_named():
    made = split(SECRET, 3, 5, os.urandom)
    commitments = [share.commitment(b"name") for share in made]
    assert forged(made, b"name", commitments) == []
    made[3].value[7] ^= 1
    assert forged(made, b"name", commitments) == [4]
    assert forged(made[:3], b"other", commitments) == [1, 2, 3]
    swapped = [Share(1, made[1].value), Share(2, made[0].value), Share(6, made[2].value)]
    assert forged(swapped, b"name", commitments) == [1, 2, 6]


@pytest.mark.parametrize(("needed", "count"), [(1, 3), (0, 2), (4, 3), (2, 256)])
def test_numbers_that_make_no_sense_are_refused(needed, count):
    with pytest.raises(InputError, match="of at most 255"):
        split(SECRET, needed, count, os.urandom)


def test_shares_of_two_splittings_or_one_twice_are_refused():
    made = split(SECRET, 2, 3, os.urandom)
    for wrong in ([made[0], made[0]], [made[0], Share(2, bytearray(5))]):
        with pytest.raises(InputError, match="not of one splitting"):
            combine(wrong)


def test_a_machine_that_computes_wrongly_makes_no_shares(monkeypatch):
    right = shares._values
    monkeypatch.setattr(shares, "_values", lambda c, x: right(c, x) if x != 2 else bytearray(len(c[0])))
    for count in (3, 12):
        with pytest.raises(KeyringError, match="computes wrongly"):
            split(SECRET, 2, count, os.urandom)


def test_a_share_shows_nothing_and_can_be_wiped():
    share = split(SECRET, 2, 2, os.urandom)[0]
    assert share.value.hex() not in repr(share)
    assert repr(share) == "Share(index=1)"
    share.wipe()
    assert share.value == bytes(32)
