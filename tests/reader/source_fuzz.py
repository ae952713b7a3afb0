"""Hostile pictures and streams: seeded mutations of small ones of every format through `sources` and `streams`.

    PYTHONPATH=tests/reader python tests/reader/source_fuzz.py --inputs 1000000 --seed 1

Nothing but FileError may come out, and the memory of the process stays bounded.
"""

import argparse
import io
import random
import resource
import warnings
from collections import Counter

import numpy as np
from PIL import Image

from ehc.errors import FileError, InputError
from ehc.reader.pipeline import Reader
from ehc.reader.sources import Frame, read_image
from ehc.reader.streams import frames_of

SIDE = 48


def corpus(dice):
    """(kind, bytes): each format and mode that is opened, small."""
    pixels = np.random.default_rng(dice.randrange(2**32)).integers(0, 256, (SIDE, SIDE, 4), np.uint8)
    rgba = Image.fromarray(pixels)
    found = []
    for kind, modes in {
        "PNG": ("L", "RGB", "RGBA", "P", "1", "I;16"),
        "JPEG": ("L", "RGB", "CMYK"),
        "WEBP": ("RGB", "RGBA"),
        "BMP": ("L", "RGB", "1"),
        "GIF": ("P",),
        "TIFF": ("L", "RGB", "RGBA", "1", "F"),
        "PPM": ("L", "RGB", "1"),
    }.items():
        for mode in modes:
            image = Image.fromarray(pixels[..., 0].astype(np.uint16)) if mode == "I;16" else rgba.convert(mode)
            out = io.BytesIO()
            options = {"compression": dice.choice(["tiff_lzw", "tiff_deflate", "packbits"])} if mode == "RGB" else {}
            image.save(out, kind, **(options if kind == "TIFF" else {}))
            found.append((kind, out.getvalue()))
    found.append(("Y4M", b"YUV4MPEG2 W48 H48 F0:1 Cmono\nFRAME\n" + pixels[..., 0].tobytes() * 1))
    return found


def mutate(dice, raw):
    """Cut, flipped, doubled, spliced: one to four of them."""
    data = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(max(1, min(len(data), 64 if dice.random() < 0.5 else len(data))))
        choice = dice.randrange(7)
        if choice == 0:
            del data[place:]
        elif choice == 1 and data:
            data[place] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        elif choice == 2 and data:
            data[place] ^= 1 << dice.randrange(8)
        elif choice == 3:
            data[place:place] = data[place : place + dice.randrange(64)]
        elif choice == 4:
            del data[place : place + dice.randrange(32)]
        elif choice == 5:
            data[place : place + 4] = dice.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0"])
        else:
            data[place : place + 4] = dice.randbytes(4)
    return bytes(data)


def run(inputs, seed):
    """Counts of what came out; raises whatever else does."""
    dice, counts, reader = random.Random(seed), Counter(), Reader(tracking=False, budget_ms=5)
    files = corpus(dice)
    for number in range(inputs):
        kind, raw = files[number % len(files)]
        data = mutate(dice, raw)
        try:
            frames = frames_of(io.BytesIO(data), "fuzz") if kind == "Y4M" else [read_image(io.BytesIO(data), "fuzz")]
            for frame in frames:
                counts[f"{kind} read"] += 1
                if number % 50 == 0:
                    _look(reader, frame)
        except FileError as error:
            assert str(error).startswith("fuzz")  # noqa: PT017
            counts[f"{kind} refused"] += 1
    return counts


def _look(reader, frame):
    assert isinstance(frame, Frame)
    try:
        reader.read(frame)
    except InputError:
        raise AssertionError("a frame that was read fits its format") from None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        total = run(given.inputs, given.seed)
    for name, count in sorted(total.items()):
        print(f"{name:<14}{count:>10,}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{given.inputs:,} inputs, nothing but FileError; at most {peak} MiB")
