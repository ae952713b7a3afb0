"""Han Xin symbols as zint draws them, of every version, level and mask and in every mode, clean and spoilt: modules and
text come back, or nothing does."""

import random

import numpy as np
import pytest

from ehc._grey import GreyCore, hanxin_message
from ehc.reader.degrade import Conditions, code_image, shoot
from ehc.reader.hanxin import FORMAT, text_of
from ehc.reader.spec_sheet import hanxin_matrix

TEXT = "EHC 42"


def size_of(version):
    return 21 + 2 * version


def outline(version, scale, quiet=4):
    left, right = quiet * scale - 0.5, (quiet + size_of(version)) * scale - 0.5
    return [(left, left), (right, left), (right, right), (left, right)]


def read(modules, said=0, scale=3, core=None):
    """The symbol that the grey core reads at its true corners. said: how far off the version is that it is told."""
    version = (len(modules) - 21) // 2
    return (core or GreyCore(FORMAT)).read(code_image(modules, scale=scale), outline(version, scale), version + said)


EVERY_VERSION = [(version, 1 + version % 4, version // 4 % 4) for version in range(1, 85)]
EVERY_LEVEL_AND_MASK = [(v, level, mask) for v in (1, 4, 11) for level in range(1, 5) for mask in range(4)]


@pytest.mark.parametrize(("version", "level", "mask"), sorted({*EVERY_VERSION, *EVERY_LEVEL_AND_MASK}))
def test_symbols_of_every_version_level_and_mask_come_back_module_for_module(version, level, mask):
    modules = hanxin_matrix(TEXT, version=version, level=level, mask=mask)
    noisy = code_image(modules, scale=2) + np.random.default_rng(version).normal(0, 20, [2 * size_of(version) + 16] * 2)
    found = GreyCore(FORMAT).read(np.clip(noisy, 0, 255).astype(np.uint8), outline(version, 2), version)
    assert (found.version, found.level, found.mask) == (version, str(level), mask)
    np.testing.assert_array_equal(found.modules, modules)
    assert text_of(found.data) == TEXT
    assert 2 <= found.unused <= found.parity
    assert found.evidence >= 32


def full(version, level):
    """A text that fills a symbol: letters take six bits each, and ten stand around them."""
    length = (8 * CODEWORDS[version, level] - 10) // 6
    text = "".join(random.Random(length).choices("ABCDEFghij", k=length))
    return text, hanxin_matrix(text, level=level)


CODEWORDS = {(1, 1): 21, (2, 4): 15, (11, 2): 113, (28, 4): 251, (40, 3): 597, (62, 1): 1920, (84, 2): 2720}
"""Data codewords (Table B.1)."""


@pytest.mark.parametrize(("version", "level"), CODEWORDS)
def test_a_symbol_that_is_full_comes_back(version, level):
    text, modules = full(version, level)
    found = read(modules, scale=2)
    assert (found.version, len(found.data)) == (version, CODEWORDS[version, level])
    assert text_of(found.data) == text


EVERY_MODE = {
    "numeric, 1 digit left": "1234",
    "numeric, 2 digits left": "12345",
    "numeric, none left": "123456",
    "numeric, zeros": "000",
    "text, letters": "HealthCard",
    "text, marks": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "text, control characters": "\x00\x01\x1b\x7f A",
    "text, letters and marks by turns": "a!B?c d:0",
    "binary": "caf\u00e9 \u00fc\u00df",
    "Chinese, first region": "\u7535\u5b50\u5065\u5eb7\u5361",
    "Chinese, first region, marks": "\uff11\u3001\u300a\u2460",
    "Chinese, first region, pinyin": "\u0101\u00e1\u01ce\u00e0\u0251",
    "Chinese, second region": "\u4e98\u9f44\u8d5d",
    "Chinese, one region into the other": "\u7535\u4e98\u5b50\u9f44\u9f44\u5361",
    "GB 18030, two bytes": "\u4e02\u9fa0\u6f22\u5b57\u66f8",
    "GB 18030, four bytes": "\u3402\U00020000\U0002a6d6",
    "everything": "EHC:98FF \u7535\u5b50\u4e98\u6f22\u3402 0123456789012345678901234567890 \u5361!",
}


@pytest.mark.parametrize("name", EVERY_MODE)
def test_every_mode_of_a_message_comes_back(name):
    text = EVERY_MODE[name]
    assert text_of(read(hanxin_matrix(text)).data) == text


@pytest.mark.parametrize("seed", range(40))
def test_texts_of_all_kinds_come_back(seed):
    random_ = random.Random(seed)
    parts = [
        "0123456789" * 2,
        "ABCxyz",
        ":/.- \r\n",
        "\u7535\u5b50\u5065\u5eb7",
        "\u4e98\u9f44",
        "\u6f22\u66f8",
        "\u3402",
    ]
    text = "".join(random_.choice(random_.choice(parts)) for _ in range(random_.randrange(1, 120)))
    assert text_of(read(hanxin_matrix(text, level=1 + seed % 4)).data) == text


@pytest.mark.parametrize(
    ("eci", "text"),
    [
        (3, "caf\u00e9"),
        (9, "\u03b1\u03b2\u03b3"),
        (26, "\u7535\u5b50 \u03b1"),
        (29, "\u7535\u5b50"),
        (32, "\u6f22\u3402"),
    ],
)
def test_a_character_set_that_is_said_is_taken(eci, text):
    found = read(hanxin_matrix(text, eci=eci))
    assert hanxin_message(found.data)[1] == [(0, eci)]
    assert text_of(found.data) == text


@pytest.mark.parametrize("eci", [899, 16384, 811799])
def test_a_designator_that_is_no_character_set_is_not_taken_for_text(eci):
    found = read(hanxin_matrix(b"\x80\x81", eci=eci))
    assert hanxin_message(found.data) == (b"\x80\x81", [(0, eci)], False)
    assert text_of(found.data) is None


def words(*fields):
    """Codewords of (value, bits)."""
    bits = "".join(f"{value:0{count}b}" for value, count in fields)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize("mode", range(9, 16))
def test_modes_that_are_not_understood_are_refused_by_their_number(mode):
    data = words((2, 4), (10, 6), (63, 6), (mode, 4), (0, 20))
    with pytest.raises(ValueError, match=f"mode {mode} is not understood"):
        hanxin_message(data)
    assert text_of(data) is None


NO_MESSAGES = {
    "nothing": words((0, 16)),
    "no codeword": b"",
    "ends inside digits": words((1, 4), (123, 10)),
    "no digits": words((1, 4), (1023, 10), (1023, 10)),
    "a group of digits that is none": words((1, 4), (1005, 10), (1023, 10)),
    "two digits that are three": words((1, 4), (123, 10), (1022, 10)),
    "one digit that is two": words((1, 4), (12, 10), (1021, 10)),
    "text without an end": words((2, 4), (10, 6), (11, 6)),
    "no bytes": words((3, 4), (0, 13)),
    "more bytes than there are": words((3, 4), (9, 13), (65, 8)),
    "a character that is none in the first region": words((4, 4), (0xFEA, 12), (4095, 12)),
    "a character that is none in the second region": words((5, 4), (3008, 12), (4095, 12)),
    "Chinese without an end": words((4, 4), (1, 12)),
    "a two-byte character that is none": words((6, 4), (23940, 15), (32767, 15)),
    "two bytes without an end": words((6, 4), (5, 15)),
    "a four-byte character that is none": words((7, 4), (1587600, 21)),
    "half of a four-byte character": words((7, 4), (1, 8)),
    "a designator that is none": words((8, 4), (7, 3), (0, 21), (2, 4), (10, 6), (63, 6)),
    "a designator over a million": words((8, 4), (6, 3), (1000000, 21), (2, 4), (10, 6), (63, 6)),
    "a designator and nothing": words((8, 4), (26, 8)),
    "bits behind the end": words((2, 4), (10, 6), (63, 6), (0, 4), (0, 11), (1, 1)),
}


@pytest.mark.parametrize("name", NO_MESSAGES)
def test_what_is_no_message_is_refused(name):
    with pytest.raises(ValueError, match="the codewords are no message"):
        hanxin_message(NO_MESSAGES[name])


def test_bytes_that_are_not_of_the_character_set_are_no_text():
    assert text_of(words((8, 4), (26, 8), (3, 4), (2, 13), (0xFF, 8), (0xFE, 8))) is None
    assert text_of(words((3, 4), (2, 13), (0xFF, 8), (0xFE, 8))) == "\u00ff\u00fe"


@pytest.mark.parametrize("said", [-1, 1])
@pytest.mark.parametrize("version", [4, 8, 20])
def test_a_version_that_is_wrong_by_one_is_found(version, said):
    assert read(hanxin_matrix(TEXT, version=version), said).version == version


def test_light_on_dark_is_read():
    modules = hanxin_matrix(TEXT, version=6)
    assert GreyCore(FORMAT).read(255 - code_image(modules, scale=3), outline(6, 3), 6) is not None


def test_corners_are_refined():
    photo = shoot(code_image(hanxin_matrix(TEXT, version=8)), 3, Conditions(blur=0.5))
    rough = np.array(photo.corners) - 0.5 + np.random.default_rng(1).normal(0, 2, (4, 2))
    found = GreyCore(FORMAT).read(photo.pixels, rough, 8)
    np.testing.assert_allclose(found.corners, np.array(photo.corners) - 0.5, atol=1)


def spoilt(modules, share, seed):
    """The symbol with this share of its modules turned over, but for the corners."""
    turned = np.random.default_rng(seed).random(modules.shape) < share
    for rows in (slice(0, 9), slice(-9, None)):
        for columns in (slice(0, 9), slice(-9, None)):
            turned[rows, columns] = False
    return modules ^ turned


@pytest.mark.parametrize("seed", range(60))
def test_a_symbol_with_too_many_wrong_modules_is_refused_and_never_misread(seed):
    modules = hanxin_matrix(f"{seed:040d}", version=8, level=1 + seed % 4)
    share = (0.01, 0.03, 0.06, 0.1, 0.5)[seed // 4 % 5]
    found = read(spoilt(modules, share, seed))
    assert found is None or np.array_equal(found.modules, modules)
    if share == 0.5:
        assert found is None


@pytest.mark.parametrize(("level", "parity"), [(1, 8), (2, 16), (3, 24), (4, 30)])
def test_a_block_is_corrected_until_two_parity_codewords_are_left(level, parity):
    """Version 3 has one block and no alignment pattern: its codewords stand one after the other in the rows."""
    modules = hanxin_matrix(TEXT, version=3, level=level)
    free = np.ones(modules.shape, bool)
    for rows in (slice(0, 9), slice(-9, None)):
        for columns in (slice(0, 9), slice(-9, None)):
            free[rows, columns] = False
    bits = np.argwhere(free)
    for errors in range(1, parity):
        y, x = bits[8 * (7 * errors % 50) + errors % 8]
        modules[y, x] ^= 1
        found = read(modules)
        assert found or errors >= parity / 2 - 3, "the evidence of a single block may end it a little before"
        assert not found or (text_of(found.data) == TEXT and found.unused >= 2)
    assert found is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: GreyCore(FORMAT).read(g, [(0, 0)] * 4, 85), "version is 85, must be 1 to 84"),
        (lambda g: GreyCore(FORMAT).read(g, [(0, 0)] * 4, 0), "version is 0, must be 1 to 84"),
        (lambda g: GreyCore("Grid Matrix"), "Grid Matrix"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_numbers(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((50, 50), np.uint8))


BAD = float("nan"), float("inf"), 1e300, -1e300, 0.0, 50.0


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", range(8))
def test_corners_that_are_no_symbol_are_no_symbol(bad, place):
    corners = np.array(outline(3, 2), float)
    corners.flat[place] = bad
    for image in (np.zeros((64, 64), np.uint8), np.zeros((0, 0), np.uint8), np.zeros((1, 500), np.uint8)):
        for version in (1, 84):
            assert GreyCore(FORMAT).read(image, corners, version) is None
