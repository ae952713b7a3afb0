"""Frames halved, cut, compared, and where in them there is more than noise: against NumPy."""

import numpy as np
import pytest
from frame_pixels import CHANNELS, SIZES, luma_of, pixels

from ehc._frame import FramePipeline, active, change


@pytest.fixture
def pipeline():
    return FramePipeline()


def shrunk(grey, times):
    """Means of squares of 2^times pixels; beyond 2 x 2 of the middle half of their rows."""
    by = 2**times
    rows = slice(0, 2) if times == 1 else slice(by // 4, by - by // 4)
    height, width = grey.shape[0] // by, grey.shape[1] // by
    squares = grey[: height * by, : width * by].astype(int).reshape(height, by, width, by)[:, rows]
    count = squares.shape[1] * by
    return (squares.sum((1, 3)) + count // 2) // count


@pytest.mark.parametrize("pixel_format", CHANNELS)
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_a_frame_is_halved_as_numpy_does(pipeline, pixel_format, times):
    for size in SIZES:
        array = pixels(*size, CHANNELS[pixel_format])
        expected = shrunk(luma_of(array, pixel_format), times)
        planes = np.moveaxis(np.moveaxis(array, -1, 0).copy(), 0, -1)  # channel after channel
        for view in (array, planes):
            np.testing.assert_array_equal(pipeline.luma(view, pixel_format, times=times), expected)
        grey = pixels(*size)
        for view in (grey, grey[:, ::-1], np.asfortranarray(grey)):
            np.testing.assert_array_equal(pipeline.luma(view, "GREY", times=times), shrunk(view, times))


@pytest.mark.parametrize("pixel_format", ["GREY", "YUYV", "BGR"])
def test_a_box_of_a_frame_is_a_frame(pipeline, pixel_format):
    array = pixels(41, 57) if pixel_format == "GREY" else pixels(41, 57, CHANNELS[pixel_format])
    flat = {"width": 57, "height": 41, "stride": 57 * array[0, 0].size}
    for x, y, width, height in ((0, 0, 57, 41), (5, 7, 31, 20), (56, 40, 1, 1), (3, 3, 0, 9)):
        part = array[y : y + height, x : x + width]
        for times in (0, 1, 2):
            expected = pipeline.luma(part, pixel_format, times=times)
            box = (x, y, width, height)
            got = [pipeline.luma(array, pixel_format, times=times, box=box)]
            got.append(pipeline.luma(array.tobytes(), pixel_format, times=times, box=box, **flat))
            for one in got:
                np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize(
    "box", [(-1, 0, 5, 5), (0, 0, 11, 5), (8, 0, 3, 1), (0, 9, 1, 2), (2**31 - 1, 0, 2, 2), (0, 0, -1, 1)]
)
def test_a_box_that_is_not_inside_the_frame_is_refused(pipeline, box):
    with pytest.raises(ValueError, match="is not inside a frame of 10 x 10"):
        pipeline.luma(pixels(10, 10), "GREY", box=box)


@pytest.mark.parametrize("times", [-1, 5])
def test_a_frame_is_halved_up_to_four_times(pipeline, times):
    with pytest.raises(ValueError, match=f"1 to 4 times, not {times}"):
        pipeline.luma(pixels(10, 10), "GREY", times=times)


@pytest.mark.parametrize("size", SIZES)
def test_change_is_the_largest_of_the_means_of_parts(size):
    one, other = pixels(*size, seed=1), pixels(*size, seed=2)
    height, width = (side // 8 for side in size)
    apart = one[: height * 8, : width * 8].astype(int) - other[: height * 8, : width * 8]
    means = np.abs(apart.reshape(height, 8, width, 8).mean((1, 3)))
    assert change(one, other) == means.max(initial=0)
    assert change(one[:, ::-1], one[:, ::-1].copy()) == 0


def test_frames_of_two_sizes_cannot_be_compared():
    for other in (pixels(8, 9), pixels(9, 8)):
        with pytest.raises(ValueError, match="different sizes"):
            change(pixels(8, 8), other)


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
