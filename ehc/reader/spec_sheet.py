"""How often codes are read as photos get worse, by this reader and by those that a vendor could take instead.

Photos are `degrade`'s, made from a seed, a static and a dynamic code by turns: one condition in steps, the others
mild (`SHEET`), many at once (the realistic mix), the hardest step of some as five frames in a row (`BURSTS`). All
readers look at a photo one after the other before the next is made, so that a slow moment of the machine hits them all;
times are those of the thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

from ehc._frame import FramePipeline
from ehc.errors import FileError, InputError
from ehc.reader.degrade import Conditions, code_image, mixture, shoot
from ehc.reader.grey import MODEL_2
from ehc.reader.pipeline import Levels, Reader
from ehc.reader.sources import read_image

Grey = NDArray[np.uint8]
Read = Callable[[Sequence[Grey]], set[str]]
"""The texts in the first of some frames in a row in which there are any."""

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"  # the specification's sample person
CODES = {"static": f"{CARD}:1", "dynamic": f"{CARD}:0:92FD69141DFE1553A42251E2B0196148"}
OURS = "ehc"
BASE: dict[str, Any] = {"module": 5.0, "tilt": 15.0, "turn": 180.0, "blur": 0.2, "noise": 3.0, "jpeg": 90}


MIX = "severity"
"""A field of the sheet that is no condition: `mixture` draws them all."""
BARS = "tilt of bars"
"""Another: the code is drawn as PDF417, turned by any angle and tilted."""
BARS_MODULE = 3.0
"""Pixels: a symbol of this payload fits into a photo at any turn."""


HAN_XIN = ", Han Xin"
"""Behind the name of a degradation: the same photos, of the same text and module in Han Xin code."""
ALIKE = {"L": 1, "M": 2, "Q": 3, "H": 4}
"""By the level of a QR code, that of Han Xin code which corrects nearest to it: of 7, 15, 25 and 30 % of the codewords
8, 15, 23 and 30 %."""


class Degradation(NamedTuple):
    """One row of the sheet: a condition of `degrade` in steps, from mild to severe."""

    name: str
    field: str
    steps: tuple[Any, ...]


SHEET = (
    Degradation("module, pixels", "module", (3.0, 2.0, 1.8, 1.6, 1.4, 1.3, 1.2)),
    Degradation("contrast, of the range", "contrast", (0.3, 0.2, 0.15, 0.1, 0.07, 0.06, 0.05)),
    Degradation("Gaussian blur, sigma in modules", "blur", (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8)),
    Degradation("defocus, radius in modules", "defocus", (0.5, 0.7, 0.9, 1.1, 1.3, 1.5)),
    Degradation("motion, modules", "motion", (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)),
    Degradation("noise, sigma in levels", "noise", (10.0, 20.0, 40.0, 60.0, 70.0, 90.0)),
    Degradation("tilt, degrees", "tilt", (30.0, 45.0, 55.0, 60.0, 65.0, 70.0)),
    Degradation("quiet zone, modules", "quiet", (4.0, 2.0, 1.0, 0.0)),
    Degradation("glare, of the range", "glare", (0.3, 0.6, 0.8, 1.0, 1.3)),
    Degradation("moire, of the light", "moire", (0.1, 0.2, 0.3, 0.4)),
    Degradation("bend, modules", "bend", (0.5, 1.0, 2.0, 3.0)),
    Degradation("finger, of the area", "hidden", (0.03, 0.06, 0.1, 0.15)),
    Degradation("light on dark", "dark", (True,)),
    Degradation("realistic mix", MIX, (1, 2, 3)),
    Degradation("PDF417 at any turn, tilt in degrees", BARS, (0.0, 15.0, 30.0)),
)
BURSTS = ("motion", "defocus", "glare", MIX)
"""Fields of the sheet whose hardest step is shown as a burst too."""
FRAMES = 5
IN_A_ROW = f", {FRAMES} frames"


@dataclass
class Tally:
    """What one reader did on one kind of photo."""

    shown: int = 0
    read: int = 0
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.read / self.shown if self.shown else 0.0

    @property
    def milliseconds(self) -> float:
        return 1e3 * median(self.seconds) if self.seconds else 0.0


class Result(NamedTuple):
    """One step of one degradation, for one kind of code: a tally a reader."""

    name: str
    step: str
    code: str
    tallies: dict[str, Tally]


def readers() -> tuple[dict[str, Read], list[str]]:
    """Ours and the peers that are installed here; of the others, what to install."""
    found: dict[str, Read] = {OURS: _ours, "zxing QR": _each(_zxing_qr), "zxing default": _each(_zxing)}
    missing = []
    try:
        found["zbar"] = _each(_faults_aside(_zbar()))
    except ImportError as error:
        missing.append(f"zbar: {error} (pip install pyzbar, apt install libzbar0)")
    try:
        found["OpenCV"] = _each(_faults_aside(_opencv()))
    except ImportError as error:
        missing.append(f"OpenCV: {error} (pip install opencv-python-headless)")
    return found, missing


def _faults_aside(read: Callable[[Grey], set[str]]) -> Callable[[Grey], set[str]]:
    """A peer that fails at a picture (of a mode that it has not, of a text that is none) has not read it."""

    def reading(grey: Grey) -> set[str]:
        try:
            return read(grey)
        except Exception:
            return set()

    return reading


def _ours(frames: Sequence[Grey]) -> set[str]:
    """A stream is read by one Reader, which may take frames together; a single photo stands alone."""
    return _each(_payloads_by(Reader(tracking=len(frames) > 1)))(frames)


def _payloads_by(reader: Reader) -> Callable[[Grey], set[str]]:
    return lambda grey: {reading.payload for reading in reader.read(grey)}


def _each(read: Callable[[Grey], set[str]]) -> Read:
    """Of the first frame in which anything is read."""
    return lambda frames: next((found for frame in frames if (found := read(frame))), set())


def _zxing_qr(grey: Grey) -> set[str]:
    read = zxingcpp.read_barcodes(grey, formats=MODEL_2, text_mode=zxingcpp.TextMode.Plain)
    return {barcode.text for barcode in read}


def _zxing(grey: Grey) -> set[str]:
    return {barcode.text for barcode in zxingcpp.read_barcodes(grey, text_mode=zxingcpp.TextMode.Plain)}


def _zbar() -> Callable[[Grey], set[str]]:
    pyzbar = import_module("pyzbar.pyzbar")
    return lambda grey: {found.data.decode("utf-8", "replace") for found in pyzbar.decode(grey)}


def _opencv() -> Callable[[Grey], set[str]]:
    detector = import_module("cv2").QRCodeDetector()
    return lambda grey: {text for text in detector.detectAndDecodeMulti(grey)[1] or () if text}


def look(frames: Sequence[Grey], texts: set[str] | None, among: dict[str, Read], tallies: dict[str, Tally]) -> None:
    """Every reader on a picture, or some in a row. texts: what may be read; None: unknown, whatever is read counts."""
    for name, read in among.items():
        started = time.thread_time()
        found = read(frames)
        tally = tallies.setdefault(name, Tally())
        tally.seconds.append(time.thread_time() - started)
        tally.shown += 1
        tally.read += bool(found if texts is None else found & texts)
        tally.wrong += bool(found - texts) if texts is not None else 0


def sheet(
    among: dict[str, Read], images: int, seed: int, only: str = "", *, han_xin: bool = False, level: int | None = None
) -> Iterator[Result]:
    """`images` photos a step and code of the degradations that have `only` in their name; han_xin: each photo once more
    with that code, of this level (1 to 4) or, None, of the one that corrects nearest to what the QR code does.
    InputError for no such degradation, and where nothing draws Han Xin code."""
    drawings: dict[str, Callable[[str], Grey]] = {"": _clean}
    if han_xin:
        drawings[HAN_XIN] = partial(_han_xin, level=level)
    rows = [(number, row) for number, row in enumerate(SHEET) if only in row.name]
    if not rows:
        names = ", ".join(degradation.name for degradation in SHEET)
        raise InputError(f"no degradation has {only!r} in its name; there are {names}")
    for number, row in rows:
        for place, step in enumerate(row.steps):
            ways = {"": _bars} if row.field == BARS else drawings
            for (kind, code), (drawn, draw) in product(enumerate(CODES), ways.items()):
                tallies: dict[str, Tally] = {}
                for image in range(images):
                    of_photo = seed * 1_000_000 + number * 10_000 + place * 1_000 + 2 * image + kind
                    photo = _frame(draw(code), of_photo, row.field, step)
                    look([photo], {CODES[code]}, among, tallies)
                yield Result(row.name + drawn, str(step), code, tallies)
    yield from _bursts([row for row in rows if row[1].field in BURSTS], among, images, seed)


def _bursts(rows: list[tuple[int, Degradation]], among: dict[str, Read], images: int, seed: int) -> Iterator[Result]:
    """`images` bursts a code, at the hardest step."""
    for number, row in rows:
        for kind, code in enumerate(CODES):
            tallies: dict[str, Tally] = {}
            for image in range(images):
                of_photo = seed * 1_000_000 + number * 10_000 + 9_000 + 2 * image + kind
                frames = [_frame(_clean(code), of_photo, row.field, row.steps[-1], frame) for frame in range(FRAMES)]
                look(frames, {CODES[code]}, among, tallies)
            yield Result(f"{row.name}{IN_A_ROW}", str(row.steps[-1]), code, tallies)


@cache
def _qr(code: str) -> segno.QRCode:
    """At level M, or a higher one that needs no larger symbol."""
    return segno.make_qr(CODES[code], error="m")


@cache
def _clean(code: str) -> Grey:
    return code_image(_qr(code).matrix)


def hanxin_matrix(
    text: str | bytes, *, level: int = 2, version: int = 0, mask: int | None = None, eci: int = 0
) -> Grey:
    """A Han Xin symbol as uint8[size, size], 1 dark, drawn by zint (package zint-bindings). version: 1 to 84, at least;
    0: the smallest. level: 1 to 4. mask: 0 to 3; None: zint's choice. eci: the character set that it says; 0: none.
    Raises ValueError with zint's words for what it cannot draw."""
    zint = _zint()
    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.HANXIN
    symbol.option_1, symbol.option_2, symbol.option_3 = level, version, 0 if mask is None else mask + 1 << 8
    symbol.eci, symbol.input_mode = eci, zint.InputMode.UNICODE if isinstance(text, str) else zint.InputMode.DATA
    try:
        symbol.encode(text)
        symbol.buffer_vector()
    except Exception as error:
        raise ValueError(str(error)) from error
    size = symbol.width
    modules, scale = np.zeros((size, size), np.uint8), size / symbol.vector.width
    for bar in symbol.vector.rectangles:
        left, top, right, bottom = (round(scale * at) for at in (bar.x, bar.y, bar.x + bar.width, bar.y + bar.height))
        modules[top:bottom, left:right] = 1
    return modules


@cache
def _zint() -> Any:
    try:
        return import_module("zint")
    except ImportError as error:
        raise InputError(f"Han Xin code is drawn by zint: {error} (pip install zint-bindings)") from error


@cache
def _han_xin(code: str, level: int | None) -> Grey:
    return code_image(hanxin_matrix(CODES[code], level=level or ALIKE[_qr(code).error]).tolist())


@cache
def _bars(code: str) -> Grey:
    made = zxingcpp.create_barcode(CODES[code], zxingcpp.BarcodeFormat.PDF417)
    return np.array(made.to_image(scale=2, add_quiet_zones=True), np.uint8)


def _frame(clean: Grey, seed: int, field: str, step: Any, frame: int = 0) -> Grey:
    if field == BARS:
        return shoot(clean, seed, Conditions(**{**BASE, "module": BARS_MODULE, "tilt": step})).pixels
    conditions = mixture(seed, step) if field == MIX else Conditions(**{**BASE, field: step})
    return shoot(clean, seed, conditions, frame=frame).pixels


def parts(results: list[Result]) -> dict[str, list[Result]]:
    """What figures are asked of: all single frames of the sheet with a QR code, those with a Han Xin code, some rows of
    it alone. Empty ones are left out."""
    singles = [r for r in results if IN_A_ROW not in r.name and "PDF417" not in r.name]
    out = {
        "single frames": [r for r in singles if HAN_XIN not in r.name],
        f"single frames{HAN_XIN}": [r for r in singles if HAN_XIN in r.name],
    }
    for result in results:
        if IN_A_ROW in result.name or result.name.startswith(("realistic", "Gaussian", "glare", "PDF417")):
            out.setdefault(result.name, []).append(result)
    return {name: part for name, part in out.items() if part}


def _grey_of(path: Path) -> Grey:
    return Levels(FramePipeline(), read_image(path)).full()


def _with_line_ends(text: str) -> str:
    """As a label has them: whoever keeps labels turns CR LF into LF, and ends a file with one."""
    return text.replace("\r\n", "\n").rstrip("\n")


def _labelled(read: Read) -> Read:
    return lambda frames: {_with_line_ends(text) for text in read(frames)}


def photographs(folder: Path, among: dict[str, Read], only: str = "") -> Iterator[Result]:
    """Labelled pictures: NAME.png with its text in NAME.txt, one result a folder below `folder` that has `only` in its
    name."""
    kinds = (".png", ".jpg", ".jpeg", ".webp")
    pictures = sorted(p for p in folder.rglob("*") if p.suffix.lower() in kinds and only in p.parent.name)
    if not pictures:
        raise FileError(f"{folder}: no picture (.png, .jpg, .webp) in it or below it" + f", in {only!r}" * bool(only))
    by_folder: dict[Path, dict[str, Tally]] = {}
    among = {name: _labelled(read) for name, read in among.items()}
    for path in pictures:
        label = path.with_suffix(".txt")
        texts = {_with_line_ends(label.read_bytes().decode("utf-8", "replace"))} if label.exists() else None
        look([_grey_of(path)], texts, among, by_folder.setdefault(path.parent, {}))
    for parent, tallies in by_folder.items():
        yield Result(str(parent.relative_to(folder)), "", "photos", tallies)
