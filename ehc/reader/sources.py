"""Where frames come from: image files, arrays and buffers (cameras: camera.py). A bad source is named."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ehc.errors import FileError, InputError

if TYPE_CHECKING:
    from ehc._frame import PixelFormat

MAX_BYTES = 256 * 1024 * 1024
"""Largest image file that is opened."""
MAX_PIXELS = 80_000_000
"""Largest image that is decoded: it is refused by its header, before any memory is taken for it."""
MAX_SIDE = 65536
"""Longest side of an image, as long as the frame pipeline takes it."""
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""What is opened at all. Pillow knows more; some of them start other programs (EPS) or have no use here."""


UINT8 = np.dtype(np.uint8)
Pixels = NDArray[np.uint8] | bytes | bytearray | memoryview


class Frame(msgspec.Struct, frozen=True, eq=False):
    """Pixels as the source gave them. pixels: uint8[height, width] (GREY), uint8[height, width, bytes of a pixel], or
    flat bytes with width, height and stride (bytes from row to row; 0: no gap). Nothing is copied."""

    pixels: Pixels
    format: PixelFormat = "GREY"
    width: int = 0  # with flat bytes only, like the two below
    height: int = 0
    stride: int = 0
    name: str = "frame"

    @classmethod
    def of(cls, array: Any, name: str = "frame") -> Frame:
        """A frame of an array or any buffer with a shape: uint8[height, width] is grey, 3 channels are RGB, 4 RGBA.

        Raises InputError for any other shape or type.
        """
        try:
            pixels = array if isinstance(array, np.ndarray) else np.asarray(memoryview(array))
        except (TypeError, ValueError) as error:
            raise InputError(f"{name}: not an array of pixels ({error})") from error
        if pixels.dtype != UINT8:
            raise InputError(f"{name}: pixels must be uint8, not {pixels.dtype}")
        if pixels.ndim == 2:
            return cls(pixels, "GREY", name=name)
        if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
            return cls(pixels, "RGB" if pixels.shape[2] == 3 else "RGBA", name=name)
        shape = " x ".join(map(str, pixels.shape)) or "no dimension"
        raise InputError(
            f"{name}: pixels must be height x width, with 3 (RGB) or 4 (RGBA) channels or none, not {shape}"
        )


def read_image(source: Path | str | BinaryIO, name: str | None = None) -> Frame:
    """The first picture of an image file, upright (EXIF). A file opened by the caller must be seekable.

    Raises FileError that says what is wrong: missing, empty, not an image, cut off, too large.
    """
    if isinstance(source, (str, Path)):
        name = name or str(source)
        with _opened(Path(source), name) as file:
            return Frame.of(_pixels(file, name), name)
    name = name or "image"
    return Frame.of(_pixels(source, name), name)


def _opened(path: Path, name: str) -> BinaryIO:
    """The file, if it is a regular one of a size that an image has."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")  # a FIFO without a writer must not stop us
    except OSError as error:
        raise FileError(f"{name}: {error.strerror}") from error
    except ValueError as error:  # a NUL byte in the name
        raise FileError(f"{name!r}: {error}") from error
    try:
        _check_file(os.fstat(file.fileno()), name)
    except FileError:
        file.close()
        raise
    return file


def _check_file(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{name}: not a regular file")
    if status.st_size == 0:
        raise FileError(f"{name}: the file is empty")
    if status.st_size > MAX_BYTES:
        raise FileError(f"{name}: {status.st_size} bytes, an image may have {MAX_BYTES}")


def _pixels(file: BinaryIO, name: str) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow about metadata; its limit of pixels is ours, and lower
        try:
            with Image.open(file, formats=IMAGE_FORMATS) as image:
                _check_size(image, name)
                return _upright(image)
        except FileError:
            raise
        except Image.DecompressionBombError as error:
            raise FileError(f"{name}: too many pixels, an image may have {MAX_PIXELS}") from error
        except UnidentifiedImageError as error:
            raise FileError(f"{name}: not an image (these are read: {', '.join(IMAGE_FORMATS)})") from error
        except Exception as error:  # a hostile file makes a decoder raise anything: OSError, struct.error, IndexError …
            raise FileError(f"{name}: the image is damaged or cut off ({_first_line(error)})") from error


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise FileError(f"{name}: {width} x {height} pixels, an image may have {MAX_PIXELS}")
    if max(width, height) > MAX_SIDE:
        raise FileError(f"{name}: {width} x {height} pixels, a side may have {MAX_SIDE}")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _upright(image: Image.Image) -> NDArray[np.uint8]:
    image.draft("L", None)  # a JPEG then gives its luma without going through RGB
    return np.asarray(ImageOps.exif_transpose(_eight_bits(image)))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Mode L, RGB or RGBA of any mode; keeps the EXIF orientation."""
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        return image
    if image.mode.startswith(("I", "F")):
        return _spread(image)
    return image.convert("RGBA" if image.has_transparency_data else "L" if image.mode == "1" else "RGB")


def _spread(image: Image.Image) -> Image.Image:
    """16 or 32 bits a pixel, or floats, whose darkest becomes 0 and lightest 255: 12 bits in 16 are common."""
    levels = np.asarray(image).astype(np.float32)
    finite = levels[np.isfinite(levels)]
    low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
    with np.errstate(all="ignore"):  # a range beyond a float's gives a picture of nothing, no warning
        spread = np.nan_to_num((levels - low) * (255 / max(high - low, 1e-30)), posinf=255, neginf=0)
    grey = Image.fromarray(np.clip(spread, 0, 255).astype(np.uint8))
    grey.info["exif"] = image.info.get("exif", b"")
    return grey
