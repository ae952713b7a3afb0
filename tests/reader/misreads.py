"""Frames that hold no code or a spoilt one: what is read of them, and how many wrongly.

    python tests/reader/misreads.py 0 100000 --workers 2 --state misreads.jsonl
    python tests/reader/misreads.py --pictures DIR

Each frame is made from its number alone. A reading is wrong when its text is not that of a symbol that was drawn into
the frame; of a symbol of random modules nothing may be read. What was done stands in the state's file, a line a chunk:
a run that was killed goes on there. Pictures are those of a folder without codes, of which nothing at all may be read.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageFilter

from ehc.errors import FileError
from ehc.reader.pipeline import Reader
from ehc.reader.sources import read_image

SIDE = 176
TEXTS = 40
CHUNK = 250


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


def chunk(first_last):
    """What a chunk of frames gave, as the line that stands in the state."""
    first, last = first_last
    bad, read = wrong(range(first, last))
    return {"first": first, "last": last, "read": read, "wrong": bad}


def campaign(first, last, workers, state):
    """The frames of these numbers, in chunks; those that the state has are not read again."""
    done = {}
    if state and state.exists():
        done = {(one["first"], one["last"]): one for one in map(json.loads, state.read_text("utf-8").splitlines())}
    chunks = [(at, min(at + CHUNK, last)) for at in range(first, last, CHUNK)]
    with Pool(workers) as pool:
        for result in pool.imap_unordered(chunk, [one for one in chunks if one not in done]):
            done[result["first"], result["last"]] = result
            if state:
                with state.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
    return [done[one] for one in chunks]


def pictures(folder: Path) -> Iterable[tuple[str, list[str]]]:
    """(name, what was read) of every picture of a folder."""
    for path in sorted(folder.iterdir()):
        try:
            frame = read_image(path)
        except FileError:
            continue
        yield path.name, [f"{one.format}, {one.stage}" for one in Reader(tracking=False, thorough=True).read(frame)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?", default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    if given.pictures:
        seen = list(pictures(given.pictures))
        found = [f"{name}: {one}" for name, readings in seen for one in readings]
        print(f"{len(seen)} pictures without a code, {len(found)} readings", *found, sep="\n")
    else:
        results = campaign(given.first, given.last, given.workers, given.state)
        found = [number for one in results for number in one["wrong"]]
        read = sum(one["read"] for one in results)
        print(f"frames {given.first} to {given.last - 1}: {read} read, {len(found)} wrongly {found[:20]}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
