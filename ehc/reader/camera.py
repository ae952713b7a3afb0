"""V4L2 cameras (Linux) through the optional package linuxpy, `pip install 'ehc[camera]'`."""

from __future__ import annotations

import errno
import fcntl
import importlib
import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ehc.errors import FileError, InputError, Unavailable
from ehc.reader.sources import Frame, read_image

if TYPE_CHECKING:
    from ehc._frame import PixelFormat

DEFAULT = "/dev/video0"
FORMATS: dict[str, PixelFormat] = {"GREY": "GREY", "NV12": "NV12", "YUYV": "YUYV", "RGB3": "RGB", "BGR3": "BGR"}
"""V4L2 fourcc -> pixel format, the cheapest first."""
COMPRESSED = "MJPG"
"""Taken when there is nothing else; Pillow decodes it."""


class Camera:
    """`with Camera() as camera: for frame in camera: …`, for ever, in the cheapest format the camera has.

    Raises Unavailable that says what to install, to plug in or to permit.
    """

    def __init__(self, device: str = DEFAULT, *, width: int = 1280, height: int = 720) -> None:
        self.device, self._size = device, (width, height)
        self._open: Any = None
        self._lock = -1

    def __enter__(self) -> Camera:
        driver = _driver()
        self._lock = _taken(self.device)
        try:
            self._open = driver.Device(self.device)
            self._open.open()
        except (OSError, ValueError) as error:  # ValueError: a name that is no device of this kind
            os.close(self._lock)
            reason = error.strerror if isinstance(error, OSError) else error
            raise Unavailable(f"{self.device}: the camera cannot be opened: {reason}") from error
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)
        self._open.close()

    def __iter__(self) -> Iterator[Frame]:
        driver = _driver()
        try:
            capture = driver.VideoCapture(self._open)
            self._negotiate(capture)
            chosen = capture.get_format()
            with capture:
                for taken in capture:
                    if frame := self._frame(bytes(taken), chosen):
                        yield frame
        except (OSError, ValueError, driver.V4L2Error) as error:
            if getattr(error, "errno", None) == errno.EBUSY:
                raise Unavailable(f"{self.device}: {_BUSY}") from error
            raise Unavailable(f"{self.device}: the camera stopped: {error}") from error

    def _negotiate(self, capture: Any) -> None:
        """The first of our formats that the camera offers."""
        offered = {fourcc(offer.pixel_format) for offer in self._open.info.formats}
        for wanted in (*FORMATS, COMPRESSED):
            if wanted in offered:
                capture.set_format(*self._size, wanted)
                return
        formats = ", ".join([*FORMATS, COMPRESSED])
        raise Unavailable(f"{self.device}: the camera has none of the pixel formats {formats}")

    def _frame(self, data: bytes, chosen: Any) -> Frame | None:
        """None for a frame that was cut off: that is common on USB, and the next one is due at once."""
        code = fourcc(chosen.pixel_format)
        if code != COMPRESSED and len(data) < chosen.height * chosen.bytes_per_line:
            return None
        try:
            return frame_of(data, code, chosen.width, chosen.height, chosen.bytes_per_line, name=self.device)
        except FileError:
            return None


_BUSY = "another program has this camera: close it, or take another camera"


def _taken(device: str) -> int:
    """A lock on the device: V4L2 itself lets many open it, and then one stream. Raises Unavailable."""
    try:
        file = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Unavailable(f"{device}: there is no such camera; cameras are /dev/video*") from error
    except OSError as error:
        raise Unavailable(f"{device}: the camera cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise Unavailable(f"{device}: {_BUSY}") from error
    return file


def fourcc(code: int) -> str:
    """The four letters of a V4L2 pixel format."""
    return int(code).to_bytes(4, "little").decode("latin-1")


def frame_of(data: bytes, code: str, width: int, height: int, stride: int = 0, *, name: str = DEFAULT) -> Frame:
    """A frame of the bytes that a driver handed over. code: fourcc of FORMATS or COMPRESSED; stride: bytes from row to
    row. Raises InputError for another code, FileError for a damaged compressed frame."""
    if code == COMPRESSED:
        return read_image(io.BytesIO(data), name)
    if code not in FORMATS:
        raise InputError(f"{name}: pixel format {code!r} is not read; these are: {', '.join(FORMATS)}, {COMPRESSED}")
    return Frame(data, FORMATS[code], width, height, stride, name)


def _driver() -> Any:
    """linuxpy's V4L2 module."""
    try:
        return importlib.import_module("linuxpy.video.device")
    except ImportError as error:
        raise Unavailable("a camera needs Linux and the package linuxpy: pip install 'ehc[camera]'") from error
