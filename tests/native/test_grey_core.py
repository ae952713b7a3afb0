"""The grey core against segno's symbols of every version and level, its decoder against the reference, and what it
refuses."""

import random
import subprocess

import grey_seeds
import numpy as np
import pytest
import segno
from kernels import NATIVE, needs, not_on_path, run
from reference import reed_solomon

from ehc._grey import GreyCore, correct_block, locate
from ehc.reader.degrade import Conditions, code_image, shoot

FUZZ_SECONDS = 5


def outline(version, scale, quiet=4):
    left, right = quiet * scale - 0.5, (quiet + 17 + 4 * version) * scale - 0.5
    return [(left, left), (right, left), (right, right), (left, right)]


def matrix_of(code):
    return np.array([list(row) for row in code.matrix], np.uint8)


EVERY_VERSION = [(version, "LMQH"[version % 4]) for version in range(1, 41)]
EVERY_LEVEL = [(version, level) for version in (1, 5, 7, 10, 40) for level in "LMQH"]


@pytest.mark.parametrize(("version", "level"), sorted({*EVERY_VERSION, *EVERY_LEVEL}))
def test_symbols_of_every_version_and_level_come_back_module_for_module(version, level):
    code = segno.make_qr("EHC 42", version=version, error=level, boost_error=False, mask=version % 8)
    image = code_image(code.matrix, scale=2)
    noise = np.random.default_rng(version).normal(0, 20, image.shape)
    found = GreyCore().read(np.clip(image + noise, 0, 255).astype(np.uint8), outline(version, 2), version)
    assert (found.version, found.level, found.frames) == (version, level, 1)
    np.testing.assert_array_equal(found.modules, matrix_of(code))
    assert 2 <= found.unused <= found.parity
    assert found.evidence >= 32


@pytest.mark.parametrize("mask", range(8))
def test_every_mask_comes_back(mask):
    code = segno.make_qr("EHC 42", version=2, mask=mask)
    found = GreyCore().read(code_image(code.matrix), outline(2, 4), 2)
    assert found.mask == mask
    np.testing.assert_array_equal(found.modules, matrix_of(code))


@pytest.mark.parametrize(
    "text", ["0123456789", "12", "1", "HEALTH CARD", "AB", "text", "电子健康卡", "漢字", "x" * 300, "1" * 50]
)
def test_every_mode_of_a_message_is_read(text):
    code = segno.make_qr(text)
    found = GreyCore().read(code_image(code.matrix, scale=3), outline(code.version, 3), code.version)
    np.testing.assert_array_equal(found.modules, matrix_of(code))


@pytest.mark.parametrize("said", [0, 4, 6])
def test_a_version_that_is_not_known_or_wrong_by_one_is_found(said):
    code = segno.make_qr("EHC", version=5)
    assert GreyCore().read(code_image(code.matrix), outline(5, 4), said).version == 5


def test_light_on_dark_is_read():
    code = segno.make_qr("EHC", version=3)
    assert GreyCore().read(255 - code_image(code.matrix), outline(3, 4), 3) is not None


def test_corners_are_refined():
    code = segno.make_qr("EHC", version=5)
    photo = shoot(code_image(code.matrix), 3, Conditions(blur=0.5))
    rough = np.array(photo.corners) - 0.5 + np.random.default_rng(1).normal(0, 2, (4, 2))
    found = GreyCore().read(photo.pixels, rough, 5)
    np.testing.assert_allclose(found.corners, np.array(photo.corners) - 0.5, atol=1)


@pytest.mark.parametrize("seed", range(4))
def test_a_symbol_that_a_hand_moved_by_three_modules_is_found(seed):
    code = segno.make_qr("EHC 42 " * 7, version=4, error="m", boost_error=False)
    photo = shoot(code_image(code.matrix), seed, Conditions(blur=0.3, noise=12, contrast=0.4))
    corners = np.array(photo.corners) - 0.5
    turned = (corners - corners.mean(0)) @ np.array([[1, -0.035], [0.035, 1]]) + corners.mean(0) + 13
    found = GreyCore().read(photo.pixels, turned, 4)
    np.testing.assert_allclose(found.corners, corners, atol=2)


@pytest.mark.parametrize("seed", range(4))
def test_what_glare_covers_in_part_is_read(seed):
    code = segno.make_qr("EHC 42 " * 7, version=4, error="m", boost_error=False)
    photo = shoot(code_image(code.matrix), seed, Conditions(glare=0.5, contrast=0.25, noise=12, motion=0.7))
    found = GreyCore().read(photo.pixels, np.array(photo.corners) - 0.5, 4)
    np.testing.assert_array_equal(found.modules, matrix_of(code))


@pytest.mark.parametrize("dark", [True, False])
def test_the_finder_locates_what_is_blurred_and_inverted(dark):
    code = segno.make_qr("EHC 42 " * 8, error="m")
    photo = shoot(code_image(code.matrix), 7, Conditions(blur=0.4, noise=4))
    found = locate(photo.pixels if dark else 255 - photo.pixels)
    distance = [np.abs(np.array(corners) + 0.5 - photo.corners)[[0, 1, 3]].max() for corners, _ in found]
    assert min(distance) < 7
    assert abs(found[int(np.argmin(distance))][1] - code.version) <= 1


@pytest.mark.parametrize("said", [4, 5])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_out_of_focus_by_more_than_a_module_is_read_even_if_it_seems_to_be_of_another_version(seed, said):
    code = segno.make_qr("EHC 42 " * 7, version=4, error="m", boost_error=False)
    photo = shoot(code_image(code.matrix), seed, Conditions(defocus=1.5, blur=0.2, noise=3, tilt=15))
    rough = np.array(photo.corners) - 0.5 + np.random.default_rng(seed).normal(0, 1, (4, 2))
    found = GreyCore().read(photo.pixels, rough, said)
    np.testing.assert_array_equal(found.modules, matrix_of(code))


def test_what_was_moved_by_two_and_a_half_modules_is_read():
    code = segno.make_qr("EHC 42 " * 7, version=4, error="m", boost_error=False)
    photos = [shoot(code_image(code.matrix), seed, Conditions(motion=2.5, blur=0.2, noise=3)) for seed in range(8)]
    read = [GreyCore().read(photo.pixels, np.array(photo.corners) - 0.5, 4) for photo in photos]
    assert sum(found is not None for found in read) >= 6
    assert all(np.array_equal(found.modules, matrix_of(code)) for found in read if found)


HIDDEN = {"top left": (0, 0), "top right": (0, 1), "bottom left": (1, 0)}


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_symbol_with_a_finder_pattern_that_cannot_be_seen_is_located(hidden, turn):
    code = segno.make_qr("EHC 42 " * 7, version=4, error="m", boost_error=False)
    image, (down, across) = code_image(code.matrix, scale=5), HIDDEN[hidden]
    top, left = (20 + 25 * 5 * at for at in (down, across))
    image[top : top + 40, left : left + 40] = 255
    corners = np.array(outline(4, 5))
    for _ in range(turn):
        image, corners = np.rot90(image), np.stack([corners[:, 1], image.shape[1] - 1 - corners[:, 0]], 1)
    found = locate(np.ascontiguousarray(image))
    assert min(np.abs(np.array(place) - corners).max() for place, version in found if version == 4) < 5


def test_a_spot_of_glare_is_read_around():
    code = segno.make_qr("EHC 42 " * 7, version=4, error="q", boost_error=False)
    image = code_image(code.matrix, scale=5) * 0.6 + 50.0
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    image += 400 * np.exp(-((x - 110) ** 2 + (y - 110) ** 2) / (2 * 25**2))
    found = GreyCore().read(np.clip(image, 0, 255).astype(np.uint8), outline(4, 5), 4)
    np.testing.assert_array_equal(found.modules, matrix_of(code))


def scrambled(code, share, seed):
    """The code with this share of its data modules turned over."""
    random_ = np.random.default_rng(seed)
    modules = matrix_of(code)
    turned = random_.random(modules.shape) < share
    turned[:9, :] = turned[:, :9] = turned[-9:, :] = turned[:, -9:] = False
    return modules ^ turned


@pytest.mark.parametrize("seed", range(40))
def test_a_symbol_with_too_many_wrong_modules_is_refused_and_never_misread(seed):
    code = segno.make_qr(f"{seed:040d}", version=4, error="lmqh"[seed % 4], boost_error=False)
    share = (0.02, 0.05, 0.1, 0.5)[seed // 4 % 4]
    image = code_image(scrambled(code, share, seed), scale=3)
    found = GreyCore().read(image, outline(4, 3), 4)
    assert found is None or np.array_equal(found.modules, matrix_of(code))
    if share == 0.5:
        assert found is None


def frames_of(code, count, noise):
    clean = code_image(code.matrix, scale=2).astype(float) / 255
    for seed in range(count):
        level = 120 + 40 * clean + np.random.default_rng(seed).normal(0, noise, clean.shape)
        yield np.clip(level, 0, 255).astype(np.uint8)


def test_frames_that_are_unreadable_alone_are_read_together():
    code, core = segno.make_qr("0123456789" * 5, version=4, error="l", boost_error=False), GreyCore()
    for count, frame in enumerate(frames_of(code, 12, 20), 1):
        assert core.read(frame, outline(4, 2), 4) is None
        if found := core.fuse():
            np.testing.assert_array_equal(found.modules, matrix_of(code))
            assert (found.passes, 2 <= found.frames <= count) == (0, True)
            return
    pytest.fail("twelve frames were not enough")


def test_fusion_starts_anew_with_another_code_and_when_it_is_told_to_forget():
    one, other = (segno.make_qr(str(n) * 50, version=4, error="l", boost_error=False) for n in (1, 2))
    core = GreyCore()
    for shown, count in ((one, 3), (other, 12)):
        found = []
        for frame in frames_of(shown, count, 20):
            core.read(frame, outline(4, 2), 4)
            found.append(core.fuse())
        assert any(found)
        assert all(np.array_equal(symbol.modules, matrix_of(shown)) for symbol in found if symbol)
    core.forget()
    assert core.fuse() is None


def test_two_symbols_by_turns_are_read_each_from_its_own_frames():
    texts = ["".join(random.Random(n).choices("0123456789", k=180)) for n in (1, 2)]
    codes = [segno.make_qr(text, version=4, error="l", boost_error=False) for text in texts]
    core, read = GreyCore(), []
    one, other = (list(frames_of(code, 6, 20)) for code in codes)
    for pair in zip(one, reversed(other), strict=True):
        for frame in pair:
            core.read(frame, outline(4, 2), 4)
            read.append(core.fuse())
    for code in codes:
        assert any(symbol and np.array_equal(symbol.modules, matrix_of(code)) for symbol in read)


def test_where_a_symbol_was_that_could_not_be_read_is_said_until_it_is_forgotten():
    code, core = segno.make_qr("0123456789" * 5, version=4, error="l", boost_error=False), GreyCore()
    assert core.expected is None
    core.read(*frames_of(code, 1, 20), outline(4, 2), 4)
    assert core.fuse() is None
    corners, version = core.expected
    np.testing.assert_allclose(corners, outline(4, 2), atol=1.5)
    assert version == 4
    core.forget()
    assert core.expected is None


@pytest.mark.parametrize("seed", range(30))
def test_blocks_are_corrected_as_the_reference_does(seed):
    random_ = random.Random(seed)
    parity, data = random_.choice([4, 5, 6]), random_.randrange(1, 5)
    word = bytearray(reed_solomon.encode(random_.randbytes(data), parity))
    erased = random_.sample(range(len(word)), random_.randrange(0, 4))
    for at in {*erased, *random_.sample(range(len(word)), random_.randrange(0, 3))}:
        word[at] = random_.randrange(256)
    for spare in (0, 2):
        expected = reed_solomon.decode(word, parity, erased, spare) if len(erased) <= parity - spare else None
        found = correct_block(bytes(word), parity, erased, spare)
        if not any(reed_solomon.syndromes(word, parity)):
            assert found == (bytes(word), 0, parity)
        elif expected is None:
            assert found is None
        else:
            codeword, errors = expected
            assert found == (codeword, errors, parity - 2 * errors - len(erased))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: GreyCore().read(g, [(0, 0)] * 4, 41), "version is 41"),
        (lambda g: GreyCore().read(g, [(0, 0)] * 4, -1), "version is -1"),
        (lambda g: GreyCore().read(g[:, ::2], [(0, 0)] * 4, 1), "side by side"),
        (lambda g: GreyCore().read(g[None], [(0, 0)] * 4, 1), r"uint8\[height, width\]"),
        (lambda g: locate(g.astype(np.int16)), r"uint8\[height, width\]"),
        (lambda g: locate(np.broadcast_to(g[:1], (65537, 50))), "over 65536"),
        (lambda g: correct_block(bytes(256), 4, []), "at most 255"),
        (lambda g: correct_block(bytes(9), 9, []), "not all are parity"),
        (lambda g: correct_block(bytes(9), 4, [1, 1]), "distinct"),
        (lambda g: correct_block(bytes(9), 4, [9]), "inside"),
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
        for version in (0, 1, 40):
            assert GreyCore().read(image, corners, version) is None


def test_no_input_breaks_the_grey_core(tmp_path):
    """native/tests/fuzz_grey.cpp under AddressSanitizer and UBSan; for a campaign see native/grey/README.md."""
    needs(not_on_path("clang++-14"), "clang-14 libclang-rt-14-dev")
    program = tmp_path / "fuzz_grey"
    sources = [NATIVE / "tests/fuzz_grey.cpp", *sorted((NATIVE / "grey").glob("*.cpp"))]
    flags = ["-std=c++17", "-O1", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
    slow = "-fno-sanitize=pointer-overflow,alignment,null,object-size,vptr"  # four times, for what ASan sees as well
    run("clang++-14", *flags, slow, f"-I{NATIVE / 'grey'}", *sources, "-o", program)
    grey_seeds.write(tmp_path / "corpus")
    options = ["-seed=1", f"-max_total_time={FUZZ_SECONDS}", "-timeout=20", "-print_final_stats=1", "-max_len=2048"]
    done = subprocess.run([program, *options, tmp_path / "corpus"], check=False, cwd=tmp_path, capture_output=True)
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, said[-4000:]
    assert int(said.split("stat::number_of_executed_units:")[1].split()[0]) > 10
