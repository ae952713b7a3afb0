"""Frames halved, cut, compared, and where in them there is more than noise: against NumPy."""

import numpy as np
import pytest
from frame_pixels import CHANNELS, SIZES, luma_of, pixels

from ehc._frame import FramePipeline, active, glanced_by, halvings


@pytest.fixture
def pipeline():
    return FramePipeline()


def shrunk(grey, by):
    """Means of squares of so many pixels; beyond 2 x 2 of the middle half of their rows, of a multiple of three of the
    middle third."""
    rows = slice(0, 2) if by == 2 else slice(by // 3, 2 * by // 3) if by % 3 == 0 else slice(by // 4, by - by // 4)
    height, width = grey.shape[0] // by, grey.shape[1] // by
    squares = grey[: height * by, : width * by].astype(int).reshape(height, by, width, by)[:, rows]
    count = squares.shape[1] * by
    return (squares.sum((1, 3)) + count // 2) // count


@pytest.mark.parametrize("pixel_format", CHANNELS)
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_a_frame_is_halved_as_numpy_does(pipeline, pixel_format, times):
    for size in SIZES:
        array = pixels(*size, CHANNELS[pixel_format])
        expected = shrunk(luma_of(array, pixel_format), 2**times)
        planes = np.moveaxis(np.moveaxis(array, -1, 0).copy(), 0, -1)  # channel after channel
        for view in (array, planes):
            np.testing.assert_array_equal(pipeline.luma(view, pixel_format, times), expected)
        grey = pixels(*size)
        for view in (grey, grey[:, ::-1], np.asfortranarray(grey)):
            np.testing.assert_array_equal(pipeline.luma(view, "GREY", times), shrunk(view, 2**times))


@pytest.mark.parametrize("pixel_format", ["GREY", "YUYV", "BGR"])
def test_a_box_of_a_frame_is_a_frame(pipeline, pixel_format):
    array = pixels(41, 57) if pixel_format == "GREY" else pixels(41, 57, CHANNELS[pixel_format])
    flat = 57, 41, 57 * array[0, 0].size
    for x, y, width, height in ((0, 0, 57, 41), (5, 7, 31, 20), (56, 40, 1, 1), (3, 3, 0, 9)):
        part = array[y : y + height, x : x + width]
        for times in (0, 1, 2):
            expected = pipeline.luma(part, pixel_format, times)
            box = (x, y, width, height)
            got = [pipeline.luma(array, pixel_format, times, box)]
            got.append(pipeline.luma(array.tobytes(), pixel_format, times, box, *flat))
            for one in got:
                np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize(
    "box", [(-1, 0, 5, 5), (0, 0, 11, 5), (8, 0, 3, 1), (0, 9, 1, 2), (2**31 - 1, 0, 2, 2), (0, 0, -1, 1)]
)
def test_a_box_that_is_not_inside_the_frame_is_refused(pipeline, box):
    with pytest.raises(ValueError, match="is not inside a frame of 10 x 10"):
        pipeline.luma(pixels(10, 10), "GREY", 0, box)


@pytest.mark.parametrize("times", [-1, 5])
def test_a_frame_is_halved_up_to_four_times(pipeline, times):
    with pytest.raises(ValueError, match=f"1 to 4 times, not {times}"):
        pipeline.luma(pixels(10, 10), "GREY", times)


def test_a_frame_is_halved_until_a_code_on_less_would_have_modules_under_a_pixel():
    sizes = {(0, 0): 0, (599, 599): 0, (600, 400): 1, (1280, 720): 2, (1080, 1920): 2, (3840, 2160): 3, (65536, 9): 3}
    assert {size: halvings(*size) for size in sizes} == sizes
    assert halvings(65536, 65536) == 4
    divided = {
        (1799, 9): 4,
        (1800, 5): 4,
        (1800, 6): 6,
        (1280, 720): 4,
        (1920, 1080): 6,
        (3840, 2160): 12,
        (7680, 4320): 24,
    }
    assert {size: glanced_by(*size) for size in divided} == divided


@pytest.mark.parametrize("pixel_format", ["GREY", *CHANNELS])
def test_a_glance_is_the_smallest_level_and_a_copy(pipeline, pixel_format):
    for size in [*SIZES, (300, 650), (80, 1210), (60, 1801), (100, 3607), (200, 7205)]:
        array = pixels(*size) if pixel_format == "GREY" else pixels(*size, CHANNELS[pixel_format])
        by = glanced_by(size[1], size[0])
        for so in (pipeline.held_something, pipeline.held_nothing):  # at once, and in two goes
            pipeline.glance(255 - array, pixel_format)
            so()
            level = pipeline.glance(array, pixel_format)
            if level is not None:
                grey = array if pixel_format == "GREY" else luma_of(array, pixel_format)
                np.testing.assert_array_equal(level, grey if by == 1 else shrunk(grey, by))
                assert not np.shares_memory(level, array)
            assert level is not None or min(size) // by < 8


def test_a_frame_is_like_nothing_unless_the_mean_of_a_part_differs_by_two_levels(pipeline):
    empty = np.full((720, 1280), 90, np.uint8)
    pipeline.glance(empty, "GREY")
    assert pipeline.glance(empty, "GREY") is not None  # nobody said that it held nothing
    pipeline.held_nothing()
    for y, x, levels, seen in ((0, 0, 4, True), (0, 0, 3, False), (672, 1264, 4, True), (352, 640, -4, True)):
        frame = empty.copy()
        frame[y : y + 32, x : x + 16] += np.uint8(levels % 256)  # half of a part of 32 x 32
        assert (pipeline.glance(frame, "GREY") is not None) == seen
        assert pipeline.glance(empty, "GREY") is None
    assert pipeline.glance(np.full((722, 1283), 90, np.uint8), "GREY") is None  # the same level
    assert pipeline.glance(empty[:, :1276], "GREY") is not None
    assert pipeline.glance(empty[:716], "GREY") is not None
    pipeline.held_something()
    assert pipeline.glance(empty[:716], "GREY") is not None


def test_a_glance_at_pixels_that_do_not_fit_is_refused(pipeline):
    with pytest.raises(ValueError, match="too few for 10 rows"):
        pipeline.glance(b"abc", "GREY", 10, 10)


@pytest.mark.parametrize("noise", [0, 1, 4, 12])
def test_noise_and_an_even_light_are_nothing(noise):
    light = np.linspace(60, 200, 320)[None, :].repeat(180, 0)
    scene = np.clip(light + np.random.default_rng(noise).normal(0, noise, light.shape), 0, 255).astype(np.uint8)
    assert active(scene) is None


@pytest.mark.parametrize("noise", [0, 2])
def test_an_edge_is_nothing(noise):
    y, x = np.mgrid[:180, :320]
    scene = np.where(y > 120 - x / 8, 60, 150) + np.random.default_rng(noise).normal(0, noise, (180, 320))
    assert active(scene.astype(np.uint8)) is None


@pytest.mark.parametrize(("contrast", "noise"), [(12, 0), (12, 1), (40, 0), (40, 4), (120, 4), (120, 12)])
def test_what_is_more_than_noise_lies_in_the_box(noise, contrast):
    scene = np.full((180, 320), 100.0)
    scene[60:100, 200:240] += contrast * np.random.default_rng(1).integers(0, 2, (20, 20)).repeat(2, 0).repeat(2, 1)
    scene += np.random.default_rng(noise).normal(0, noise, scene.shape)
    x, y, width, height = active(np.clip(scene, 0, 255).astype(np.uint8))
    assert x <= 200
    assert y <= 60
    assert x + width >= 240
    assert y + height >= 100
    assert width * height < 180 * 320 / 4


def test_where_noise_may_hide_a_code_all_of_the_frame_is_active():
    scene = np.random.default_rng(1).integers(0, 256, (180, 320)).astype(np.uint8)
    assert active(scene) == (0, 0, 320, 180)
    for height, width in ((15, 9), (15, 320)):
        assert active(scene[:height, :width]) == (0, 0, width, height)
