"""Streams of frames from a file or a pipe: YUV4MPEG2 (`ffmpeg … -f yuv4mpegpipe -`), or raw frames of a known size.

YUV4MPEG2 begins with a line `YUV4MPEG2 W1280 H720 F30:1 C420jpeg`; each frame is a line `FRAME` and its planes, luma
first. Only that is looked at, and it is not copied.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import BinaryIO

from ehc.errors import FileError, InputError
from ehc.reader.camera import FORMATS
from ehc.reader.sources import MAX_PIXELS, MAX_SIDE, Frame

MAGIC = b"YUV4MPEG2"
_LONGEST_LINE = 512
_PLANES = {"mono": 1, "420": 1.5, "420jpeg": 1.5, "420mpeg2": 1.5, "420paldv": 1.5, "422": 2, "444": 3, "444alpha": 4}
"""Bytes a pixel."""
_PIXEL_BYTES = {"GREY": 1, "NV12": 1.5, "YUYV": 2, "RGB3": 3, "BGR3": 3}


def frames_of(file: BinaryIO, name: str) -> Iterator[Frame]:
    """A YUV4MPEG2 stream; one that is a regular file is played at its own pace. Raises FileError: none, or cut off."""
    width, height, size, pace = _header(_line(file, name), name)
    regular = not _is_pipe(file)
    started = time.monotonic()
    for number in range(1 << 62):
        line = _line(file, name, may_end=True)
        if not line:
            return
        if not line.startswith(b"FRAME"):
            raise FileError(f"{name}: frame {number} does not begin with FRAME")
        data = _exactly(file, size, f"{name}: frame {number}")
        if regular and pace:
            time.sleep(max(0.0, started + number / pace - time.monotonic()))
        yield Frame(memoryview(data)[: width * height], "GREY", width, height, 0, name)


def raw_frames(file: BinaryIO, size: tuple[int, int], code: str, name: str) -> Iterator[Frame]:
    """Frames one behind the other. code: a fourcc of camera.FORMATS. Raises InputError, FileError for a cut one."""
    width, height = size
    if code not in FORMATS:
        raise InputError(f"{name}: pixel format {code!r} is not read; these are: {', '.join(FORMATS)}")
    _check_size(width, height, name)
    bytes_of_frame = int(width * height * _PIXEL_BYTES[code])
    while data := _exactly(file, bytes_of_frame, name, may_end=True):
        yield Frame(data, FORMATS[code], width, height, 0, name)


def _is_pipe(file: BinaryIO) -> bool:
    try:
        return not os.path.isfile(f"/proc/self/fd/{file.fileno()}")
    except OSError:
        return False


def _line(file: BinaryIO, name: str, *, may_end: bool = False) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if not line.endswith(b"\n") and not (may_end and not line):
        raise FileError(f"{name}: {'the stream was cut off' if line else 'the stream is empty'}")
    return line


def _header(line: bytes, name: str) -> tuple[int, int, int, float]:
    """Width, height, bytes of a frame, frames a second (0: not said)."""
    words = line.decode("ascii", "replace").split()
    if not words or words[0].encode() != MAGIC:
        raise FileError(f"{name}: not a YUV4MPEG2 stream; raw frames need --size and --format")
    fields = {word[0]: word[1:] for word in words[1:]}
    colour = fields.get("C", "420")
    if colour not in _PLANES:
        raise FileError(f"{name}: colours C{colour} are not read; these are: {', '.join(_PLANES)}")
    try:
        width, height = int(fields["W"]), int(fields["H"])
        rate, _, scale = fields.get("F", "0:1").partition(":")
        pace = int(rate) / int(scale or 1)
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise FileError(f"{name}: the stream's header has no whole width, height and rate") from error
    _check_size(width, height, name)
    chroma = 2 * ((width + 1) // 2) * ((height + 1) // 2) if _PLANES[colour] == 1.5 else None
    size = width * height + chroma if chroma is not None else int(width * height * _PLANES[colour])
    return width, height, size, pace


def _check_size(width: int, height: int, name: str) -> None:
    if not (width > 0 and height > 0 and width * height <= MAX_PIXELS):
        raise FileError(f"{name}: a frame has 1 to {MAX_PIXELS} pixels, not {width} x {height}")
    if max(width, height) > MAX_SIDE:
        raise FileError(f"{name}: a side of a frame has at most {MAX_SIDE} pixels, not {max(width, height)}")


def _exactly(file: BinaryIO, size: int, name: str, *, may_end: bool = False) -> bytes:
    data = b""
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data = data + more if data else more
    if len(data) < size and not (may_end and not data):
        raise FileError(f"{name}: cut off after {len(data)} of {size} bytes")
    return data
