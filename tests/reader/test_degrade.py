"""The photo generator: the same seed gives the same photo, and each parameter does what it says."""

import numpy as np
import pytest
import segno
import zxingcpp

from ehc.reader.degrade import Conditions, code_image, mixture, photograph, shoot

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
MATRIX = segno.make_qr(f"{CARD}:1", error="m").matrix
CODE = code_image(MATRIX)
STILL = Conditions(tilt=0, turn=0, blur=0, shade=0, noise=0, jpeg=None, contrast=1, module=6)


def levels(photo):
    """Darkest and lightest level in the middle of the photo, where the code is."""
    middle = photo.pixels[260:460, 380:580]
    return int(middle.min()), int(middle.max())


def changed(**conditions):
    values = {name: getattr(STILL, name) for name in Conditions.__slots__}
    return Conditions(**{**values, **conditions})


def test_the_same_seed_gives_the_same_photo_and_another_seed_another():
    assert np.array_equal(photograph(CODE, seed=5), photograph(CODE, seed=5))
    assert not np.array_equal(photograph(CODE, seed=5), photograph(CODE, seed=6))


def test_a_photo_is_grey_and_of_the_size_asked_for():
    photo = photograph(CODE, seed=1, size=(641, 359))
    assert (photo.shape, photo.dtype) == ((359, 641), np.uint8)


def test_the_scale_of_the_clean_image_does_not_matter():
    for scale, quiet in ((1, 4), (7, 0), (3, 9)):
        same = shoot(code_image(MATRIX, scale=scale), 3, STILL)
        assert np.array_equal(same.pixels, shoot(CODE, 3, STILL).pixels)
        other = shoot(code_image(MATRIX, scale=scale, quiet=quiet), 3, STILL)
        assert np.allclose(np.ptp(other.corners, axis=0), np.ptp(same.corners, axis=0))


def test_a_still_photo_has_modules_of_the_size_asked_for():
    for module in (2.0, 4.5, 9.0):
        (left, top), _, (right, bottom), _ = shoot(CODE, 1, changed(module=module)).corners
        assert right - left == pytest.approx(len(MATRIX) * module)
        assert bottom - top == pytest.approx(len(MATRIX) * module)


@pytest.mark.parametrize("seed", range(8))
def test_the_true_corners_are_where_a_decoder_finds_them(seed):
    photo = shoot(CODE, seed, Conditions(module=8, turn=180, tilt=30))
    at = zxingcpp.read_barcode(photo.pixels, formats=zxingcpp.BarcodeFormat.QRCodeModel2).position
    found = [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
    np.testing.assert_allclose(photo.corners, found, atol=8)  # one module


@pytest.mark.parametrize("seed", range(4))
def test_tilt_foreshortens_the_code_by_its_cosine(seed):
    def area(corners):
        x, y = np.array(corners).T
        return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2

    flat, tilted = (area(shoot(CODE, seed, changed(tilt=tilt, module=2)).corners) for tilt in (0, 60))
    assert tilted / flat == pytest.approx(0.5, rel=0.05)


def test_contrast_and_brightness_are_levels():
    assert levels(shoot(CODE, 1, changed(contrast=0.4, brightness=0.3))) == (26, 128)


def test_noise_is_a_sigma_in_levels():
    clean, noisy = (shoot(CODE, 1, changed(contrast=0.2, noise=noise)).pixels.astype(float) for noise in (0, 12))
    assert (noisy - clean).std() == pytest.approx(12, rel=0.02)


def test_blur_and_motion_take_contrast_from_the_modules():
    sharp, blurred, moved = (shoot(CODE, 1, changed(**c)).pixels.std() for c in ({}, {"blur": 0.8}, {"motion": 2.0}))
    assert blurred < sharp
    assert moved < sharp


def test_defocus_spreads_a_point_evenly_over_a_disc():
    edge = shoot(CODE, 1, changed(defocus=1.0)).pixels.astype(int)
    sharp = shoot(CODE, 1, STILL).pixels.astype(int)
    assert edge.sum() == pytest.approx(sharp.sum(), rel=0.01)
    assert np.abs(np.diff(edge, axis=1)).max() < 255 / STILL.module


def test_frames_of_a_stream_show_one_code_in_a_hand_that_shakes():
    photos = [shoot(CODE, 3, changed(noise=3), frame=frame) for frame in (0, 1, 1, 2)]
    assert np.array_equal(photos[1].pixels, photos[2].pixels)
    moved = [np.abs(np.subtract(photo.corners, photos[0].corners)).max() for photo in photos]
    assert moved[0] == 0
    assert all(0 < far < 60 for far in moved[1:])
    assert moved[1] != moved[3]


def test_a_mixture_is_its_seeds_and_harder_with_its_severity():
    assert mixture(1, 2) == mixture(1, 2) != mixture(2, 2)
    noise = [[mixture(seed, severity).noise for seed in range(40)] for severity in (1, 2, 3)]
    assert max(noise[0]) < max(noise[1]) < max(noise[2]) <= 2 + 3 * 7


def test_shade_makes_one_side_darker():
    even, shaded = (shoot(CODE, 1, changed(shade=shade, contrast=0.2)).pixels.astype(float) for shade in (0, 0.5))
    ratio = shaded / even
    assert ratio.max() - ratio.min() > 0.45
    assert ratio.mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("module", 0.4),
        ("tilt", 81),
        ("turn", -1),
        ("blur", float("nan")),
        ("motion", 21),
        ("contrast", 1.1),
        ("brightness", -0.1),
        ("shade", 2),
        ("noise", 256),
        ("jpeg", 0),
        ("size", (8, 100)),
        ("size", (100, 9000)),
    ],
)
def test_conditions_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match="width|height" if name == "size" else name):
        Conditions(**{name: value})


def test_an_unknown_condition_is_refused_by_name():
    with pytest.raises(TypeError, match="tild"):
        photograph(CODE, seed=1, tild=30)


@pytest.mark.parametrize(
    "code", [np.full((9, 9), 255, np.uint8), np.zeros((0, 0), np.uint8), CODE[..., None], CODE.astype(float)]
)
def test_what_is_no_clean_code_image_is_refused(code):
    with pytest.raises(ValueError, match="code"):
        photograph(code, seed=1)


def test_light_on_dark_turns_the_levels_of_the_symbol_over():
    dark = shoot(CODE, 2, changed(dark=True)).pixels
    assert zxingcpp.read_barcode(dark, formats=zxingcpp.BarcodeFormat.QRCodeModel2).text.startswith(CARD)
    plain = shoot(CODE, 2, STILL).pixels[300:420, 420:540].astype(int)
    np.testing.assert_allclose(dark[300:420, 420:540], 255 - plain, atol=3)


def test_without_quiet_zone_the_surface_begins_at_the_symbol():
    (left, top), *_ = shoot(CODE, 2, changed(quiet=0)).corners
    for margin, least, most in ((0, 50, 125), (3, 200, 255)):
        pixels = shoot(CODE, 2, changed(quiet=margin)).pixels
        assert least <= pixels[round(top) + 20, round(left) - 6] <= most


@pytest.mark.parametrize("part", [0.05, 0.2])
def test_a_finger_covers_the_part_of_the_symbol_that_is_asked_for(part):
    changed_pixels = shoot(CODE, 2, changed(hidden=part)).pixels != shoot(CODE, 2, STILL).pixels
    area = (len(MATRIX) * STILL.module) ** 2
    assert changed_pixels.sum() == pytest.approx(part * area, rel=0.15)


def test_a_bent_sheet_stands_out_in_the_middle_and_its_corners_say_so():
    flat, bent = (np.array(shoot(CODE, 2, changed(bend=bend)).corners) for bend in (0.0, 2.0))
    assert np.abs(flat - bent).max() < 2 * STILL.module
    assert (shoot(CODE, 2, changed(bend=2.0)).pixels != shoot(CODE, 2, STILL).pixels).any()


def test_glare_is_light_that_is_added_and_moire_goes_both_ways():
    grey = {"contrast": 0.4}
    plain = shoot(CODE, 2, changed(**grey)).pixels.astype(int)
    glare = shoot(CODE, 2, changed(**grey, glare=0.3)).pixels - plain
    moire = shoot(CODE, 2, changed(**grey, moire=0.3)).pixels - plain
    assert glare.min() >= 0
    assert glare.max() > 50
    assert (moire.min() < -20) & (moire.max() > 20)
