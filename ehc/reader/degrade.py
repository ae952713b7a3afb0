"""What a phone photo does to a code: a seeded generator, for the demo, the tests and the bench.

    clean code -> dark mode, hand before it -> surroundings -> turn and tilt before a pinhole camera -> bend -> blur
    -> motion -> moire, glare, light -> noise -> JPEG

Every parameter is physical (`Conditions`), so that a set of photos can be described in a sentence and made again by
anybody: the same code, seed and conditions give the same pixels (one version of NumPy and Pillow). `mixture` draws
several at once, as a window sees them; `shoot` takes further frames of one code in one hand.

    >>> import segno
    >>> clean = code_image(segno.make("98FF9F2C05145CB9305E9D8A57E072BB:1", error="m").matrix)
    >>> photograph(clean, seed=7, tilt=35, noise=12).shape
    (720, 960)
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Grey = NDArray[np.uint8]
Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

FOCAL_LENGTH = 1.2
"""In widths of the photo: a phone's main camera sees about 45 degrees across."""
OVERSAMPLING = 2
"""The plane is drawn this much finer than the photo and averaged down, so that small modules do not alias."""
SURROUNDINGS = 0.45
"""What is drawn around the code on each side (paper with text, an edge), in widths of the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How the photo is taken. The defaults are a careful phone photo of a screen or a print."""

    module: float = 5.0  # pixels of the photo that a module of the code takes, in the middle of the code
    tilt: float = 25.0  # degrees between the code's normal and the line of sight; the direction is the seed's
    turn: float = 30.0  # degrees; the seed turns the code in its plane by up to this, either way
    growth: float = 0.0  # how far ink spreads over each edge, in modules, in steps of half a pixel of the photo
    blur: float = 0.25  # sigma of a Gaussian, in modules: a cheap lens, a dirty window
    defocus: float = 0.0  # radius of an even disc, in modules: a lens that is set to another distance
    motion: float = 0.0  # length of a straight smear, in modules; the direction is the seed's
    contrast: float = 0.6  # levels between black and white, as a fraction of 255
    brightness: float = 0.5  # level in the middle between black and white, as a fraction of 255
    shade: float = 0.2  # fall of the light across the photo, as a fraction; the direction is the seed's
    noise: float = 6.0  # sigma of Gaussian noise a pixel, in levels of 255
    jpeg: int | None = 85  # quality; None: not compressed
    quiet: float | None = (
        None  # modules of paper around the symbol before a dark surface begins; None: paper all around
    )
    dark: bool = False  # light modules on dark
    hidden: float = 0.0  # part of the symbol's area under a finger, as a fraction
    bend: float = 0.0  # how far the middle of the photo stands out as on a bottle, in modules at the symbol's edges
    glare: float = 0.0  # of a round spot near the middle, ten modules in radius, as a fraction of 255
    moire: float = 0.0  # of stripes two to four modules apart, as a fraction of the light
    size: tuple[int, int] = (960, 720)  # width and height of the photo, pixels

    def __post_init__(self) -> None:
        _between("module", self.module, 0.5, 64)
        _between("tilt", self.tilt, 0, 80)
        _between("turn", self.turn, 0, 180)
        _between("growth", self.growth, 0, 1)
        _between("blur", self.blur, 0, 5)
        _between("defocus", self.defocus, 0, 10)
        _between("motion", self.motion, 0, 20)
        _between("contrast", self.contrast, 0, 1)
        _between("brightness", self.brightness, 0, 1)
        _between("shade", self.shade, 0, 1)
        _between("noise", self.noise, 0, 255)
        _between("jpeg", 85 if self.jpeg is None else self.jpeg, 1, 100)
        _between("quiet", 0 if self.quiet is None else self.quiet, 0, 16)
        _between("hidden", self.hidden, 0, 0.5)
        _between("bend", self.bend, 0, 20)
        _between("glare", self.glare, 0, 4)
        _between("moire", self.moire, 0, 1)
        _between("width", self.size[0], 16, 8192)
        _between("height", self.size[1], 16, 8192)


def mixture(seed: int, severity: float) -> Conditions:
    """What comes together at a window, each drawn evenly between nothing and what the severity allows.

    severity: 1 is a good place with a patient person, 2 an ordinary one, 3 a dark one in a hurry with a worn print.
    """
    random = np.random.default_rng([seed, 3])

    def up_to(most: float) -> float:
        return float(random.uniform(0, most * severity))

    return Conditions(
        module=float(random.uniform(2.5, 6)),
        tilt=10 + up_to(12),
        turn=180,
        blur=0.15 + up_to(0.09),
        motion=up_to(0.4),
        noise=2 + up_to(7),
        contrast=0.75 - up_to(0.18),
        shade=up_to(0.15),
        glare=up_to(0.2),
        bend=up_to(0.15),
        hidden=up_to(0.015),
        jpeg=90 - round(up_to(15)),
    )


class Sheet(NamedTuple):
    """The code with its surroundings, flat."""

    image: Image.Image
    scale: int  # pixels a module
    left: int  # of the code (quiet zone included), pixels
    top: int
    middle: tuple[float, float]  # of the code, pixels


class Photo(NamedTuple):
    """A photo and where the code truly is in it."""

    pixels: Grey  # uint8[height, width]
    corners: Corners  # outer corners of the symbol without its quiet zone, clockwise from its own top left; pixels


def photograph(code: Grey, *, seed: int, **conditions: Any) -> Grey:
    """A photo of the code as grey uint8[height, width]; conditions: any field of `Conditions` by name.

    code: a clean image, as `shoot` takes it. Raises ValueError as `shoot` and `Conditions` do.
    """
    return shoot(code, seed, Conditions(**conditions)).pixels


def shoot(code: Grey, seed: int, conditions: Conditions | None = None, *, frame: int = 0) -> Photo:
    """As `photograph`, together with the true corners.

    frame: of a stream that shows the code in one hand, 0 or more: the hand shakes, the direction of a smear, the spot
    of glare and the noise are others in every frame.
    code: uint8[height, width], dark on light, any whole number of pixels a module, with or without quiet zone.
    Raises ValueError when it is not such an image.
    """
    conditions = conditions or Conditions()
    random = np.random.default_rng(seed)
    modules, symbol = _modules(code)
    scale = max(2, math.ceil(conditions.module * OVERSAMPLING))
    sheet = _sheet(modules, scale, round(conditions.growth * scale), random)
    _changed(sheet, symbol, conditions, np.random.default_rng([seed, 1]))  # leaves the camera where it is
    to_photo = _camera(sheet, conditions, random, _hand(seed, frame))
    ink = _bent(_warped(sheet.image, to_photo, conditions, random), symbol, conditions)
    random = np.random.default_rng([seed, 2, frame]) if frame else random
    pixels = _exposed(_smeared(ink, conditions, random), conditions, random)
    left, top, right, bottom = symbol
    outline = [(left, top), (right, top), (right, bottom), (left, bottom)]
    points = [
        _stood_out(_project(to_photo, sheet.left + x * sheet.scale, sheet.top + y * sheet.scale), symbol, conditions)
        for x, y in outline
    ]
    return Photo(pixels, (points[0], points[1], points[2], points[3]))


def code_image(matrix: Sequence[Sequence[int]], *, scale: int = 4, quiet: int = 4) -> Grey:
    """A clean image of a matrix of modules (true is dark; `segno.make(...).matrix`). scale: pixels a module; quiet:
    modules of white around it."""
    dark = np.pad(np.array([list(row) for row in matrix], bool), quiet)
    light: Grey = np.where(dark, 0, 255).astype(np.uint8)
    return light.repeat(scale, 0).repeat(scale, 1)


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, must be {low} to {high}")


def _modules(code: Grey) -> tuple[Grey, tuple[int, int, int, int]]:
    """One pixel a module, and the symbol's left, top, right, bottom in it."""
    if code.ndim != 2 or code.dtype != np.uint8:
        raise ValueError(f"the code must be a grey image, uint8[height, width], not {code.dtype}{list(code.shape)}")
    dark = code < 128
    columns, rows = np.flatnonzero(dark.any(0)), np.flatnonzero(dark.any(1))
    if not len(columns):
        raise ValueError("the code image has no dark pixel")
    size = _module_pixels(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    top, left = rows[0] % size, columns[0] % size
    modules: Grey = code[top + size // 2 :: size, left + size // 2 :: size]
    x, y = int(columns[0] // size), int(rows[0] // size)
    return modules, (
        x,
        y,
        x + len(range(columns[0], columns[-1] + 1, size)),
        y + len(range(rows[0], rows[-1] + 1, size)),
    )


def _module_pixels(dark: NDArray[np.bool_]) -> int:
    """Pixels a module: the largest number that divides every run of a clean image."""
    changes = [
        np.flatnonzero((dark[1:] != dark[:-1]).any(1)) + 1,
        np.flatnonzero((dark[:, 1:] != dark[:, :-1]).any(0)) + 1,
    ]
    return math.gcd(*dark.shape, *(int(at) for axis in changes for at in axis))


def _sheet(modules: Grey, scale: int, growth: int, random: np.random.Generator) -> Sheet:
    """The code on a sheet with an edge and lines of text around it. scale: pixels a module; growth: in pixels."""
    height, width = (side * scale for side in modules.shape)
    border = round(SURROUNDINGS * max(width, height))
    image = Image.new("L", (width + 2 * border, height + 2 * border), 255)
    draw = ImageDraw.Draw(image)
    line = max(2, 2 * scale)
    draw.rectangle((0, 0, image.width - 1, image.height - 1), outline=int(random.integers(0, 90)), width=line)
    above = range(2 * line, border - line, 2 * line)
    below = range(border + height + line, image.height - 2 * line, 2 * line)
    for y in (*above, *below):
        _words(draw, y, line, image.width, random)
    clean = Image.fromarray(modules).resize((width, height), Image.Resampling.NEAREST)
    image.paste(clean.filter(ImageFilter.MinFilter(2 * growth + 1)) if growth else clean, (border, border))
    return Sheet(image, scale, border, border, (border + width / 2, border + height / 2))


def _changed(sheet: Sheet, symbol: tuple[int, ...], conditions: Conditions, random: np.random.Generator) -> None:
    """Dark mode, a surface that begins close to the symbol, a finger over part of it."""
    left, top = sheet.left + symbol[0] * sheet.scale, sheet.top + symbol[1] * sheet.scale
    width, height = (symbol[2] - symbol[0]) * sheet.scale, (symbol[3] - symbol[1]) * sheet.scale
    draw = ImageDraw.Draw(sheet.image)
    if conditions.dark:
        box = (
            left - 4 * sheet.scale,
            top - 4 * sheet.scale,
            left + width + 4 * sheet.scale,
            top + height + 4 * sheet.scale,
        )
        sheet.image.paste(ImageChops.invert(sheet.image.crop(box)), box)
    if conditions.quiet is not None:
        margin = round(conditions.quiet * sheet.scale)
        kept = (left - margin, top - margin, left + width + margin, top + height + margin)
        symbol_image = sheet.image.crop(kept)
        draw.rectangle((0, 0, *sheet.image.size), fill=int(random.integers(60, 120)))
        sheet.image.paste(symbol_image, kept)
    if conditions.hidden:
        radius = math.sqrt(conditions.hidden * width * height / math.pi)
        x, y = left + width * random.uniform(0.3, 0.7), top + height * random.uniform(0.3, 0.7)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(random.integers(90, 200)))


def _words(draw: ImageDraw.ImageDraw, y: int, line: int, width: int, random: np.random.Generator) -> None:
    """A line of text as bars of the length of words."""
    x = 2 * line
    while (end := x + int(random.integers(2, 8)) * line) < width - 2 * line:
        draw.rectangle((x, y, end, y + line), fill=int(random.integers(30, 140)))
        x = end + line


class Hand(NamedTuple):
    """How far a frame is from the first one of its stream."""

    turn: float = 0.0  # degrees
    tilt: float = 0.0
    x: float = 0.0  # pixels
    y: float = 0.0


def _hand(seed: int, frame: int) -> Hand:
    return Hand(*np.random.default_rng([seed, 4, frame]).normal(0, [1.5, 1.5, 4, 4])) if frame else Hand()


def _camera(sheet: Sheet, conditions: Conditions, random: np.random.Generator, hand: Hand) -> NDArray[np.float64]:
    """Homography from pixels of the sheet to pixels of the photo: turn, tilt about a random axis, pinhole."""
    turn = math.radians(random.uniform(-conditions.turn, conditions.turn) + hand.turn)
    tilt = math.radians(conditions.tilt + hand.tilt)
    rotation = _tilted(tilt, random.uniform(0, 2 * math.pi)) @ _turned(turn)
    width, height = conditions.size
    focal = FOCAL_LENGTH * width
    distance = focal * sheet.scale / conditions.module  # of the code's middle, in pixels of the sheet
    to_middle = np.array([[1, 0, -sheet.middle[0]], [0, 1, -sheet.middle[1]], [0, 0, 1.0]])
    pose = np.column_stack([rotation[:, 0], rotation[:, 1], [0.0, 0.0, distance]])
    spot = width * (0.5 + random.uniform(-0.05, 0.05)), height * (0.5 + random.uniform(-0.05, 0.05))
    lens = np.array([[focal, 0, spot[0] + hand.x], [0, focal, spot[1] + hand.y], [0, 0, 1.0]])
    return np.asarray(lens @ pose @ to_middle, np.float64)


def _turned(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _tilted(angle: float, axis: float) -> NDArray[np.float64]:
    """Rotation about an axis in the plane of the photo."""
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(_turned(axis) @ np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]]) @ _turned(-axis))


def _project(homography: NDArray[np.float64], x: float, y: float) -> tuple[float, float]:
    u, v, w = homography @ (x, y, 1.0)
    return float(u / w), float(v / w)


def _warped(
    sheet: Image.Image, to_photo: NDArray[np.float64], conditions: Conditions, random: np.random.Generator
) -> Image.Image:
    """The sheet as the camera sees it, on a table."""
    fine = conditions.size[0] * OVERSAMPLING, conditions.size[1] * OVERSAMPLING
    back = np.linalg.inv(np.diag([OVERSAMPLING, OVERSAMPLING, 1.0]) @ to_photo)
    coefficients = tuple(float(c) for c in (back / back[2, 2]).ravel()[:8])
    how = (Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    seen = sheet.transform(fine, *how)
    covers = Image.new("L", sheet.size, 255).transform(fine, *how)
    table = Image.new("L", fine, int(random.integers(60, 200)))
    return Image.composite(seen, table, covers).reduce(OVERSAMPLING)


def _height(x: float, symbol: tuple[int, ...], conditions: Conditions) -> float:
    """How far a bent sheet moves a point of the photo upwards, in pixels."""
    half = (symbol[2] - symbol[0]) * conditions.module / 2
    return conditions.bend * conditions.module * (1 - ((x - conditions.size[0] / 2) / half) ** 2)


def _stood_out(point: tuple[float, float], symbol: tuple[int, ...], conditions: Conditions) -> tuple[float, float]:
    return point[0], point[1] - (_height(point[0], symbol, conditions) if conditions.bend else 0)


def _bent(ink: Image.Image, symbol: tuple[int, ...], conditions: Conditions) -> Image.Image:
    if not conditions.bend:
        return ink
    pixels, rows = np.asarray(ink, np.float32), np.arange(ink.height)
    out = np.empty_like(pixels)
    for x in range(ink.width):
        out[:, x] = np.interp(rows + _height(x, symbol, conditions), rows, pixels[:, x])
    return Image.fromarray(np.rint(out).astype(np.uint8))


def _smeared(ink: Image.Image, conditions: Conditions, random: np.random.Generator) -> NDArray[np.float32]:
    """Defocus, then motion."""
    soft = ink.filter(ImageFilter.GaussianBlur(conditions.blur * conditions.module)) if conditions.blur else ink
    soft = _out_of_focus(soft, conditions.defocus * conditions.module)
    direction = random.uniform(0, math.pi)
    length = conditions.motion * conditions.module
    steps = math.ceil(length) + 1
    total = np.zeros((ink.height, ink.width), np.float32)
    for step in np.linspace(-length / 2, length / 2, steps) if steps > 1 else [0.0]:
        shift = (1, 0, step * math.cos(direction), 0, 1, step * math.sin(direction))
        moved = soft.transform(soft.size, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR) if step else soft
        total += np.asarray(moved, np.float32)
    return total / np.float32(steps)


def _out_of_focus(ink: Image.Image, radius: float) -> Image.Image:
    """An even disc over every point; its border pixels count for what of them lies inside. radius: pixels."""
    if radius == 0:
        return ink
    reach = math.ceil(radius)
    at = np.arange(-reach, reach + 1)
    disc = np.clip(radius + 0.5 - np.hypot(at[:, None], at[None, :]), 0, 1)
    around = np.pad(np.asarray(ink, np.float32), reach, mode="edge")
    total = np.zeros((ink.height, ink.width), np.float32)
    for y, x in np.argwhere(disc):
        total += np.float32(disc[y, x]) * around[y : y + ink.height, x : x + ink.width]
    return Image.fromarray(np.rint(total / disc.sum()).astype(np.uint8))


def _exposed(ink: NDArray[np.float32], conditions: Conditions, random: np.random.Generator) -> Grey:
    """Levels, uneven light, noise and JPEG."""
    black = 255 * (conditions.brightness - conditions.contrast / 2)
    level = (black + conditions.contrast * ink) * _light(conditions, random)
    if conditions.moire or conditions.glare:
        level = _disturbed(level, conditions, random)
    if conditions.noise:
        level += random.normal(0, conditions.noise, level.shape).astype(np.float32)
    pixels: Grey = np.clip(np.rint(level), 0, 255).astype(np.uint8)
    if conditions.jpeg is None:
        return pixels
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "jpeg", quality=conditions.jpeg)
    return np.array(Image.open(packed))


def _disturbed(level: NDArray[np.float32], conditions: Conditions, random: np.random.Generator) -> NDArray[np.float32]:
    """Stripes, and a spot of glare; with a radius of ten modules."""
    width, height = conditions.size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    angle, apart = random.uniform(0, math.pi), random.uniform(2, 4) * conditions.module
    stripes = np.sin((x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / apart))
    spot_x, spot_y = (side * (0.5 + random.uniform(-0.06, 0.06)) for side in (width, height))
    radius = 10 * conditions.module
    spot = np.exp(-((x - spot_x) ** 2 + (y - spot_y) ** 2) / (2 * radius**2))
    disturbed = level * (1 + conditions.moire * stripes) + 255 * conditions.glare * spot
    return np.asarray(disturbed, np.float32)


def _light(conditions: Conditions, random: np.random.Generator) -> NDArray[np.float32]:
    """A plane of light: 1 in the middle, falling by `shade` from one edge of the photo to the other."""
    angle = random.uniform(0, 2 * math.pi)
    width, height = conditions.size
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(math.cos(angle))
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(math.sin(angle))
    return np.asarray(1 + np.float32(conditions.shade) * (x[None, :] + y[:, None]), np.float32)
