"""Both thresholds, that of windows and the local one (native/frame/threshold.cpp), against NumPy."""

import itertools

import numpy as np
import pytest
from frame_pixels import SIZES, pixels

from ehc._frame import FramePipeline


@pytest.fixture
def pipeline():
    return FramePipeline()


def local_threshold_of(grey):
    """Over the middle of 8 x 8 pixels with over 24 levels, averaged over 5 x 5 of these, itself counted twice more."""
    tops, lefts = (np.minimum(np.arange(0, side, 8), side - 8) for side in grey.shape)
    middle = np.zeros((len(tops), len(lefts)), int)
    for (i, y), (k, x) in itertools.product(enumerate(tops), enumerate(lefts)):
        part = grey[y : y + 8, x : x + 8].astype(int)
        if part.max() - part.min() > 24:
            middle[i, k] = (part.max() + part.min()) // 2
    mean = np.zeros_like(middle)
    for i, k in np.ndindex(middle.shape):
        top, left = (max(2, min(at, count - 3)) - 2 for at, count in zip((i, k), middle.shape, strict=True))
        near = [*middle[top : top + 5, left : left + 5].ravel(), middle[i, k], middle[i, k]]
        mean[i, k] = sum(near) // max(sum(value > 0 for value in near), 1)
    flat, known = mean.ravel(), np.flatnonzero(mean)
    if not known.size:
        return None
    level = flat[known[np.minimum(np.searchsorted(known, np.arange(flat.size)), known.size - 1)]].reshape(mean.shape)
    out = np.zeros_like(grey)
    for (i, y), (k, x) in itertools.product(enumerate(tops), enumerate(lefts)):
        out[y : y + 8, x : x + 8] = 255 * (grey[y : y + 8, x : x + 8] > level[i, k])
    return out


@pytest.mark.parametrize("size", [(40, 40), (41, 47), (48, 55), (63, 129), (100, 40)])
@pytest.mark.parametrize("textured", [1.0, 0.3, 0.1])  # of the parts
def test_the_local_threshold_is_that_of_numpy(pipeline, size, textured):
    random = np.random.default_rng([*size, int(10 * textured)])
    parts = random.random((size[0] // 8 + 1, size[1] // 8 + 1)) < textured
    grey = np.where(parts.repeat(8, 0).repeat(8, 1)[: size[0], : size[1]], pixels(*size), 90).astype(np.uint8)
    expected = local_threshold_of(grey)
    np.testing.assert_array_equal(pipeline.threshold(grey), expected)
    np.testing.assert_array_equal(pipeline.threshold(grey[:, ::-1][:, ::-1]), expected)


def test_the_local_threshold_needs_contrast_and_forty_pixels(pipeline):
    grey = np.full((64, 64), 200, np.uint8)
    grey[20:30, 20:30] = 176  # 24 levels
    assert pipeline.threshold(grey) is None
    grey[25, 25] = 175
    assert (pipeline.threshold(grey) == np.where(grey > 187, 255, 0)).all()
    for size in ((39, 64), (64, 39), (0, 0)):
        with pytest.raises(ValueError, match="must be 40 a side at least"):
            pipeline.threshold(np.zeros(size, np.uint8))


def threshold_of(grey, window, offset):
    height, width = grey.shape
    radius, out = window // 2, np.zeros_like(grey)
    for y, x in np.ndindex(height, width):
        near = grey[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1].astype(int)
        out[y, x] = 255 if (int(grey[y, x]) + offset) * near.size > near.sum() else 0
    return out


@pytest.mark.parametrize("size", [size for size in SIZES if all(size)])
@pytest.mark.parametrize(("window", "offset"), [(3, 0), (15, 5), (15, -20), (31, 255), (255, 1)])
def test_binarise_is_that_of_numpy(pipeline, size, window, offset):
    grey = pixels(*size)
    np.testing.assert_array_equal(pipeline.binarise(grey, window, offset), threshold_of(grey, window, offset))
