"""Streams of frames with codes in them, as a camera behind ffmpeg gives them: YUV4MPEG2."""

import numpy as np
import segno

from ehc.reader.degrade import code_image, photograph

SIZE = (960, 720)


def header(size=SIZE, rate=15, colour="mono"):
    return f"YUV4MPEG2 W{size[0]} H{size[1]} F{rate}:1 C{colour}\n".encode()


def photo(text, seed=1, **conditions):
    """A careful photo of a code."""
    clean = code_image(segno.make(text, error="m", micro=False).matrix)
    return photograph(clean, seed=seed, size=SIZE, **conditions)


def beside(one, other, seed=1):
    """Two codes in one picture."""
    quarter = SIZE[0] // 4
    return np.hstack([photo(text, seed)[:, quarter:-quarter] for text in (one, other)])


def empty(seed=1):
    return np.random.default_rng(seed).integers(90, 110, (SIZE[1], SIZE[0]), np.uint8)


def frame(pixels):
    return b"FRAME\n" + pixels.tobytes()
