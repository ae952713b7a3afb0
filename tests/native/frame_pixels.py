"""Pixels for the tests of the frame pipeline, and their luma in NumPy."""

import numpy as np

SIZES = [(0, 0), (0, 5), (5, 0), (1, 1), (1, 2), (2, 1), (3, 3), (1, 40), (40, 1), (7, 9), (16, 33), (31, 64), (50, 67)]
CHANNELS = {"YUYV": 2, "RGB": 3, "BGR": 3, "RGBA": 4}


def pixels(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 256, shape, np.uint8)


def luma_of(array, pixel_format):
    """BT.601 in integers; RGBA on white."""
    if pixel_format == "YUYV":
        return array[..., 0]
    red, green, blue = (array[..., c].astype(int) for c in ((2, 1, 0) if pixel_format == "BGR" else (0, 1, 2)))
    grey = (77 * red + 150 * green + 29 * blue + 128) // 256
    if pixel_format == "RGBA":
        alpha = array[..., 3].astype(int)
        grey = np.floor((grey * alpha + 255 * (255 - alpha)) / 255 + 0.5).astype(int)
    return grey
