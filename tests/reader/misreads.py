"""Frames that hold no code or a spoilt one: `python tests/reader/misreads.py 0 100000` reads them, counts the wrong.

Each frame is made from its number alone. A reading is wrong when its text is not that of a symbol that was drawn into
the frame; of a symbol of random modules nothing may be read.
"""

import sys
from functools import lru_cache

import numpy as np
import segno
from PIL import Image, ImageFilter

from ehc.reader.pipeline import Reader

SIDE = 176
TEXTS = 40


@lru_cache
def symbol(number):
    """(text, modules) of one of the codes that the frames are made of."""
    random = np.random.default_rng([1, number])
    text = "".join(random.choice(list("0123456789ABCDEF"), 8 + number)) + ":1"
    code = segno.make_qr(text, error="lmqh"[number % 4], mask=number % 8, boost_error=False)
    return text, np.array([list(row) for row in code.matrix], np.uint8)


def spoilt(random):
    """(modules, texts that may be read): a symbol with more and less of its data turned, replaced or another's."""
    text, modules = symbol(int(random.integers(TEXTS)))
    other_text, other = symbol(int(random.integers(TEXTS)))
    size = len(modules)
    inside = np.ones_like(modules, bool)
    inside[:9, :9] = inside[:9, -8:] = inside[-8:, :9] = False
    inside[6, :] = inside[:, 6] = False
    way = random.integers(4)
    if way == 0:
        return np.where(inside, random.integers(0, 2, modules.shape), modules), set()
    if way == 1:
        return modules ^ (inside & (random.random(modules.shape) < random.uniform(0.03, 0.3))), {text}
    if way == 2 and len(other) == size:
        return np.where(np.arange(size)[:, None] < random.integers(9, size), modules, other), {text, other_text}
    left, top = random.integers(0, size, 2)
    covered = modules.copy()
    covered[top : top + size // 2, left : left + size // 2] = random.integers(0, 2)
    return covered, {text}


def empty(random):
    """A frame without a symbol: noise, bars, steps."""
    way = random.integers(3)
    if way == 0:
        return random.integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    coarse = random.integers(0, 256, (SIDE // 4, SIDE // (4 if way == 1 else 12) + 1)).astype(np.uint8)
    return np.array(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.NEAREST))


def frame(number):
    """(pixels, texts that may be read)"""
    random = np.random.default_rng([2, number])
    if number % 8 == 0:
        return empty(random), set()
    modules, texts = spoilt(random)
    scale = random.uniform(2, (SIDE - 24) / len(modules))
    side = round(scale * len(modules))
    image = Image.new("L", (SIDE, SIDE), 225)
    drawn = Image.fromarray(230 - 200 * modules.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
    image.paste(
        drawn, tuple(int(at) for at in random.integers(10, SIDE - 10 - side, 2)) if side < SIDE - 21 else (11, 11)
    )
    image = image.rotate(random.uniform(-20, 20), Image.Resampling.BILINEAR, fillcolor=225)
    image = image.filter(ImageFilter.GaussianBlur(scale * random.uniform(0, 0.6)))
    noisy = np.asarray(image, float) + random.normal(0, random.uniform(0, 25), (SIDE, SIDE))
    return np.clip(noisy, 0, 255).astype(np.uint8), texts


def wrong(numbers):
    """(frames with a wrong reading, how many were read) of these frames."""
    bad, read = [], 0
    for number in numbers:
        pixels, texts = frame(number)
        readings = [reading for reading in Reader(tracking=False).read(pixels) if reading.format == "QR Code"]
        read += bool(readings)
        if any(reading.payload not in texts for reading in readings):
            bad.append(number)
    return bad, read


if __name__ == "__main__":
    first, last = int(sys.argv[1]), int(sys.argv[2])
    found, some = wrong(range(first, last))
    print(f"frames {first} to {last - 1}: {some} read, {len(found)} wrongly {found[:20]}")
    sys.exit(bool(found))
