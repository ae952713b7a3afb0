"""What the reader takes beside zxing-cpp for QR alone, on frames as a terminal sees them: bench/reader_times.py.

Every frame is read by both in turn, by the thread's own clock; medians, and their ratio. Each text is checked against
the code that was drawn. zxing QR is `read_barcode(formats=QRCodeModel2)`, its quickest call. Frames are seeded.
`--json FILE` keeps what was measured (ours: results/reader/times.json), `--table FILE` prints the rows of
ehc/reader/README.md from it.

    easy      codes over 30 to 65 % of the frame's height, tilted up to 30 degrees; each frame for itself
    followed  the same as a stream: the same frame four times more, with new noise
    empty     no code: a wall, a table's edge, a sheet of text
    static    an empty frame again and again, with new noise
    hard      what zxing QR cannot read and ehc does, out of small, faint, blurred, moved, noisy, tilted codes
    core      the grey core alone, at the true corners: sharp, and blurred
    yuyv      a stream of YUYV, 1080p: part of a core at 30 frames a second
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ehc._grey import GreyCore
from ehc.reader.degrade import Conditions, Photo, code_image, shoot
from ehc.reader.grey import MODEL_2
from ehc.reader.pipeline import Reader
from ehc.reader.sources import Frame
from ehc.reader.spec_sheet import CODES

Grey = NDArray[np.uint8]
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
CLEAN = {text: code_image(segno.make_qr(text, error="m").matrix) for text in CODES.values()}
MODULES = {text: len(segno.make_qr(text, error="m").matrix) for text in CODES.values()}
HARD = ({"module": 1.6}, {"contrast": 0.08}, {"blur": 0.55}, {"motion": 1.7}, {"noise": 55.0}, {"tilt": 63.0})


Found = dict[str, float]
"""Of a kind of frames: milliseconds, and the ratio to zxing QR's."""
ROWS = (
    ("easy frame at 720p, 1080p, 4K", [(f"easy {size}", "ratio") for size in SIZES], "0.20, 0.12, 0.08"),
    ("the same in a stream, followed", [(f"followed {size}", "ratio") for size in SIZES], "-"),
    ("empty frame, a wall, an edge, text", [("empty 720p", "ratio")], "0.5"),
    ("static scene", [("static 720p", "ratio")], "0.1"),
    ("hard frame at 720p, ms: p50, p95", [("hard 720p", "p50_ms"), ("hard 720p", "p95_ms")], "3, 8"),
    ("grey core, sharp and blurred, ms", [("core, sharp", "ms"), ("core, blurred", "ms")], "1"),
    ("YUYV at 1080p, 30 frames/s, % of a core", [("yuyv 1080p", "of_a_core")], "4"),
)


class Shown(NamedTuple):
    photo: Photo
    text: str


def shown(seed: int, size: tuple[int, int], **conditions: float) -> Shown:
    random = np.random.default_rng(seed)
    text = list(CODES.values())[seed % 2]
    module = min(random.uniform(0.3, 0.65) * size[1] / MODULES[text], 64)
    how = {"module": module, "tilt": random.uniform(0, 30), "turn": 180.0, "blur": 0.2, "noise": 4.0} | conditions
    return Shown(shoot(CLEAN[text], seed, Conditions(**how, size=size)), text)  # type: ignore[arg-type]


def noisy(pixels: Grey, seed: int) -> Grey:
    noise = np.random.default_rng(seed).normal(0, 2, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def empty(seed: int, size: tuple[int, int]) -> Grey:
    """A wall with light from a side; every third with an edge of a table, every third with lines of text."""
    random = np.random.default_rng(seed)
    wall = random.uniform(60, 180) + np.linspace(0, random.uniform(10, 60), size[0])[None, :].repeat(size[1], 0)
    image = Image.fromarray(wall.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    if seed % 3 == 1:
        draw.polygon([(0, size[1] * 0.7), (size[0], size[1] * 0.6), size, (0, size[1])], fill=40)
    if seed % 3 == 2:
        draw.rectangle((size[0] // 4, size[1] // 4, size[0] // 2, size[1] * 3 // 4), fill=235)
        for y in range(size[1] // 4 + 20, size[1] * 3 // 4 - 20, 24):
            for x in range(size[0] // 4 + 20, size[0] // 2 - 60, 60):
                draw.rectangle((x, y, x + random.integers(20, 50), y + 8), fill=60)
    return noisy(np.asarray(image, np.float32), seed)


def timed(call: Callable[[], object]) -> tuple[float, object]:
    started = time.thread_time()
    answer = call()
    return 1e3 * (time.thread_time() - started), answer


def zxing(pixels: Grey) -> set[str]:
    found = zxingcpp.read_barcode(pixels, formats=MODEL_2, text_mode=zxingcpp.TextMode.Plain)
    return {found.text} if found else set()


def texts(reader: Reader, frame: Frame | Grey) -> set[str]:
    return {reading.payload for reading in reader.read(frame)}


def against(name: str, pairs: Iterator[tuple[Reader, Grey, set[str]]]) -> Found:
    """Both readers in turn; all texts must be read by ours, and none where there is none."""
    ours, theirs = [], []
    for reader, pixels, expected in pairs:
        their_time, _ = timed(lambda pixels=pixels: zxing(pixels))
        our_time, read = timed(lambda pixels=pixels, reader=reader: texts(reader, pixels))
        assert read == expected, f"{name}: read {len(read)} codes, shown {len(expected)}"
        ours.append(our_time), theirs.append(their_time)
    print(f"{name:<16}{median(ours):8.3f} ms   zxing QR {median(theirs):8.3f} ms   {median(ours) / median(theirs):.2f}")
    return {"ms": median(ours), "zxing_qr_ms": median(theirs), "ratio": median(ours) / median(theirs)}


def easy(frames: list[Shown], rounds: int) -> Iterator[tuple[Reader, Grey, set[str]]]:
    reader = Reader(tracking=False)
    for frame in frames * rounds:
        yield reader, frame.photo.pixels, {frame.text}


def followed(frames: list[Shown]) -> Iterator[tuple[Reader, Grey, set[str]]]:
    for frame in frames:
        reader = Reader()
        reader.read(frame.photo.pixels)
        for number in range(4):
            yield reader, noisy(frame.photo.pixels, number), {frame.text}


def static(size: tuple[int, int], frames: int) -> Iterator[tuple[Reader, Grey, set[str]]]:
    for seed in range(frames):
        reader, scene = Reader(), empty(3 * seed, size)
        reader.read(scene)
        for number in range(4):
            yield reader, noisy(scene, number), set()


def hard(frames: int) -> Found:
    spent, read, zxing_spent = [], 0, []
    reader = Reader(tracking=False)
    for seed, how in islice(enumerate(cycle(HARD)), frames):
        size = SIZES["720p"]
        frame = shown(seed, size, **({"module": 6.0} | how))
        their_time, theirs = timed(lambda frame=frame: zxing(frame.photo.pixels))
        if theirs:
            continue
        our_time, found = timed(lambda frame=frame: texts(reader, frame.photo.pixels))
        assert found in (set(), {frame.text}), "a misread"
        spent.append(our_time), zxing_spent.append(their_time)
        read += bool(found)
    cuts = quantiles(spent, n=20)
    print(f"hard 720p       p50 {median(spent):.2f} ms, p95 {cuts[18]:.2f} ms; {read} of {len(spent)} read,", end=" ")
    print(f"zxing QR none in {median(zxing_spent):.2f} ms")
    return {"p50_ms": median(spent), "p95_ms": cuts[18], "frames": len(spent), "read": read}


def core(name: str, blur: float, frames: int) -> Found:
    spent, read = [], 0
    for seed in range(frames):
        frame = shown(seed, SIZES["720p"], module=6.0, blur=blur)
        corners = [(x - 0.5, y - 0.5) for x, y in frame.photo.corners]
        version = (MODULES[frame.text] - 17) // 4
        our_time, found = timed(lambda: GreyCore().read(frame.photo.pixels, corners, version))  # noqa: B023
        spent.append(our_time)
        read += found is not None
    print(f"core, {name:<10}{median(spent):8.3f} ms a candidate, {read} of {frames} read")
    return {"ms": median(spent), "frames": frames, "read": read}


def yuyv(frames: list[Shown]) -> Found:
    spent = []
    for frame in frames:
        reader = Reader()
        for number in range(5):
            pixels = noisy(frame.photo.pixels, number)
            packed = np.dstack([pixels, np.full_like(pixels, 128)]).tobytes()
            height, width = pixels.shape
            our_time, read = timed(lambda: texts(reader, Frame(packed, "YUYV", width, height)))  # noqa: B023
            assert read == {frame.text}
            spent.append(our_time)
    part = 100 * median(spent) * 30 / 1e3
    print(f"yuyv 1080p      {median(spent):8.3f} ms a frame: {part:.1f} % of a core at 30 frames/s")
    return {"ms": median(spent), "of_a_core": part}


def table(found: dict[str, Found]) -> str:
    """The rows of ehc/reader/README.md."""
    lines = ["| | ehc | asked |", "|---|---|---|"]
    for name, cells, asked in ROWS:
        figures = ", ".join(f"{found[of][what]:.{1 if what == 'of_a_core' else 2}f}" for of, what in cells)
        lines.append(f"| {name} | {figures} | {asked} |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--frames", type=int, default=12, help="of a kind and size")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path, help="keeps what was measured in this file")
    options.add_argument("--table", type=Path, help="measures nothing: the README's rows of such a file")
    given = options.parse_args()
    if given.table:
        print(table(json.loads(given.table.read_text())["found"]))
        return
    found = measured(given.frames, given.rounds)
    if given.json:
        kept = {"method": {"frames": given.frames, "rounds": given.rounds}, "found": found}
        given.json.write_text(json.dumps(kept, indent=1) + "\n")


def measured(count: int, rounds: int) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for name, size in SIZES.items():
        frames = [shown(seed, size) for seed in range(count if name != "4K" else max(2, count // 3))]
        found[f"easy {name}"] = against(f"easy {name}", easy(frames, rounds))
        found[f"followed {name}"] = against(f"followed {name}", followed(frames))
        if name == "1080p":
            found["yuyv 1080p"] = yuyv(frames)
    size = SIZES["720p"]
    blank = [empty(seed, size) for seed in range(count)]
    alone = ((Reader(tracking=False), pixels, set[str]()) for pixels in blank * rounds)
    found["empty 720p"] = against("empty 720p", alone)
    found["static 720p"] = against("static 720p", static(size, count))
    found["hard 720p"] = hard(5 * count)
    for name, blur in (("sharp", 0.3), ("blurred", 0.6)):
        found[f"core, {name}"] = core(name, blur, count)
    return found


if __name__ == "__main__":
    main()
