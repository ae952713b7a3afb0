"""Bars at any turn: where they stand, and their pixels as if they stood upright, against drawings and NumPy."""

import math

import numpy as np
import pytest
from frame_pixels import pixels

from ehc._frame import FramePipeline, bars, edges

SIZE = (320, 400)
MIDDLE = (200.3, 160.8)


def stack(turn, *, lean=0.0, width=160.0, height=70.0, middle=MIDDLE, size=SIZE, bar=5.0):
    """uint8[size]: bars of `bar` pixels by turns on white, turned by degrees; lean: of their rows against them, too."""
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    x, y = x - middle[0], y - middle[1]
    a, b = math.radians(turn), math.radians(turn + lean)
    across = x * math.cos(a) + y * math.sin(a)
    along = -x * math.sin(b) + y * math.cos(b)
    dark = (abs(across) < width / 2) & (abs(along) < height / 2) & (np.floor(across / bar) % 2 == 0)
    return np.where(dark, 30, 220).astype(np.uint8)


def between_of(grey, x, y):
    """Linear between the middles of four pixels, the border repeated."""
    height, width = grey.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = x - left, y - top
    above = grey[top, left] * (1 - u) + grey[top, right] * u
    return above * (1 - v) + (grey[bottom, left] * (1 - u) + grey[bottom, right] * u) * v


@pytest.mark.parametrize("lean", [0, 12])
@pytest.mark.parametrize("turn", range(0, 180, 23))
def test_bars_are_found_at_any_turn_and_stand_upright(turn, lean):
    image = stack(turn, lean=lean)
    [where] = bars(image)
    (x, y), (u, v), (p, q) = where
    assert math.dist(((u + p) / 2, (v + q) / 2), MIDDLE) < 5
    assert 160 < math.dist((x, y), (u, v)) < 270
    assert 70 < math.dist((x, y), (p, q)) < 200
    seen = FramePipeline().upright(image, where).astype(int)
    middle = seen[seen.shape[0] // 2 - 10 : seen.shape[0] // 2 + 10, 40:-40]
    assert np.median(np.ptp(middle, axis=0)) < 100, "down a column it is one bar"
    assert np.median(np.ptp(middle, axis=1)) > 150


@pytest.mark.parametrize(("first", "last"), [((110, 90), (290, 210)), ((30.5, 160.2), (370, 161)), ((5, 5), (5, 5))])
def test_the_edges_along_a_line_are_those_of_its_pixels(first, last):
    image = stack(30)
    row = FramePipeline().upright(image, [first, last, first])[0]
    assert edges(image, first, last) == np.count_nonzero(np.diff(row > row.mean()))


def test_of_several_those_with_the_most_in_them_come_first():
    image = stack(30, width=100, middle=(110, 110)) & stack(100, width=60, height=50, middle=(300, 220))
    large, small = bars(image)
    assert math.dist(large[1], large[2]) > math.dist(small[1], small[2])
    assert bars(image, 1) == [large]
    assert bars(image, 0) == []


def test_views_of_any_strides_are_looked_at():
    image = stack(70)
    assert bars(np.repeat(image, 2, 1)[:, ::2]) == bars(image)
    assert bars(image[::-1, ::-1])


def test_what_is_no_stack_of_bars_is_none():
    ring = np.hypot(*(np.mgrid[:400, :400] - 199.5)) // 5 % 2 * 200
    checks = (np.indices((400, 400)) // 6).sum(0) % 2 * 200
    angle = stack(0, width=200, height=30, middle=(200, 60)) & stack(0, width=30, height=260, middle=(115, 170))
    for image in (ring, checks, angle, np.full((200, 300), 90), stack(0)[:31], stack(0)[:, :31], np.zeros((0, 0))):
        assert bars(image.astype(np.uint8)) == []


@pytest.mark.parametrize(
    "where",
    [
        [(10, 12), (50, 20), (6, 40)],
        [(3.3, 2.6), (3.3, 2.6), (3.3, 2.6)],
        [(-9, 5), (60, 5), (-9, 40)],
        [(5, -9), (30, -9), (5, 70)],
        [(20, 10), (90, 30), (10, 40)],
        [(20, 10), (40, 90), (60, 0)],
        [(40, 30), (5, -8), (60, 20)],
        [(62, 48), (2, 1), (64, 46)],
    ],
)
@pytest.mark.parametrize("step", [1, 2])
def test_pixels_of_a_parallelogram_are_those_of_numpy(where, step):
    grey = pixels(50, 67 * step)[:, ::step]
    seen = FramePipeline().upright(grey, where)
    a, b, c = (np.array(point, float) for point in where)
    right, down = np.linalg.norm(b - a), np.linalg.norm(c - a)
    assert seen.shape == (int(down) + 1, int(right) + 1)
    v, u = np.mgrid[: seen.shape[0], : seen.shape[1]].astype(float)
    x, y = (a[k] + u * (b[k] - a[k]) / max(right, 1) + v * (c[k] - a[k]) / max(down, 1) for k in (0, 1))
    assert abs(seen - between_of(grey.astype(float), x, y)).max() < 3


@pytest.mark.parametrize("far", [math.nan, math.inf, 1e6])
def test_corners_that_are_none_are_refused(far):
    for where in ([(far, 0), (1, 0), (0, 1)], [(0, 0), (1, far), (0, 1)]):
        with pytest.raises(ValueError, match="a corner of bars is over 32768 pixels away, or no number"):
            FramePipeline().upright(np.zeros((9, 9), np.uint8), where)


def test_sides_that_are_too_long_and_images_without_pixels_are_refused():
    for where in ([(0, 0), (9000, 0), (0, 1)], [(0, 0), (1, 0), (0, 9000)]):
        with pytest.raises(ValueError, match=r"the sides of bars are [0-9.]+ and [0-9.]+ pixels, must be under 8192"):
            FramePipeline().upright(np.zeros((9, 9), np.uint8), where)
    for shape in ((0, 9), (9, 0)):
        with pytest.raises(ValueError, match="an image without pixels has no bars"):
            FramePipeline().upright(np.zeros(shape, np.uint8), [(0, 0), (1, 0), (0, 1)])
