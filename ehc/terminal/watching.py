"""A source kept open: a camera that is unplugged comes back, a stream that ends begins anew; what happened is told."""

from __future__ import annotations

import contextlib
import fcntl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from ehc.errors import ConfigError, EhcError, Unavailable
from ehc.reader import camera as cameras
from ehc.reader.sources import Frame, read_image
from ehc.reader.streams import frames_of, raw_frames
from ehc.reader.video import KINDS, video_frames
from ehc.terminal.slot import Slot

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
PICTURE_SECONDS = 0.5
"""For how long each picture of a folder is shown."""

Source = Callable[[], AbstractContextManager[Iterable[Frame]]]


def source_of(name: str, size: tuple[int, int] | None = None, code: str = "") -> Source:
    """What a name on the command line stands for. Raises ConfigError for one that is nothing."""
    path = Path(name)
    if name.startswith("/dev/video"):
        return lambda: cameras.Camera(name)
    if name == "-" or path.suffix == ".y4m" or size is not None or path.is_fifo():
        return lambda: _stream(path, size, code)
    if path.is_dir():
        return lambda: contextlib.nullcontext(_folder(path))
    if path.suffix.lower() in KINDS:
        return lambda: contextlib.nullcontext(video_frames(path))
    if path.is_file():
        return lambda: contextlib.nullcontext(_pictures([path]))
    raise ConfigError(
        f"{name}: no camera (/dev/video*), folder, picture, video or stream; - is a YUV4MPEG2 stream on stdin"
    )


@contextlib.contextmanager
def _stream(path: Path, size: tuple[int, int] | None, code: str) -> Iterator[Iterable[Frame]]:
    with open("/dev/stdin" if str(path) == "-" else path, "rb") as file:
        if path.is_fifo():
            _alone(file, path)
        yield raw_frames(file, size, code, str(path)) if size else frames_of(file, str(path))


def _alone(file: BinaryIO, path: Path) -> None:
    """Of two that read one pipe each would get parts of frames. Raises Unavailable."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Unavailable(f"{path}: another program reads this stream: close it, or give this one its own") from error


def _folder(path: Path) -> Iterator[Frame]:
    """Its pictures by name, and those that come later."""
    shown = set[Path]()
    while True:
        new = [one for one in sorted(path.iterdir()) if one.is_file() and one not in shown]
        shown.update(new)
        yield from _pictures(new)
        time.sleep(PICTURE_SECONDS)


def _pictures(paths: list[Path]) -> Iterator[Frame]:
    """What is no picture is left out."""
    for path in paths:
        with contextlib.suppress(EhcError):
            yield read_image(path)
            time.sleep(PICTURE_SECONDS)


class Watch:
    """Puts a source's frames into the slot until it is stopped. tell: what became of the source, and why."""

    def __init__(self, source: Source, slot: Slot, tell: Callable[[str, str], None]) -> None:
        self._source, self._slot, self._tell = source, slot, tell
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Returns when it was stopped."""
        wait = FIRST_WAIT
        while not self._stop.is_set():
            before = self._slot.frames
            try:
                self._once()
                self._tell("ended", "")
            except (EhcError, OSError) as error:
                self._tell("gone", str(error))
            except Exception as error:  # a driver's fault: the camera is opened anew
                self._tell("gone", f"fault: {type(error).__name__}")
            wait = FIRST_WAIT if self._slot.frames > before else min(LONGEST_WAIT, 2 * wait)
            self._stop.wait(wait)

    def _once(self) -> None:
        with self._source() as frames:
            for number, frame in enumerate(frames):
                if number == 0:
                    self._tell("watching", "")
                self._slot.put(frame)
                if self._stop.is_set():
                    return
