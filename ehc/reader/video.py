"""Video files through the optional package av (FFmpeg), `pip install 'ehc[video]'`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ehc.errors import FileError, Unavailable
from ehc.reader.sources import Frame

KINDS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mjpeg")


def video_frames(file: Path) -> Iterator[Frame]:
    """The pictures of a video, grey, at its own pace. Raises FileError for what is none, Unavailable without av."""
    try:
        av: Any = importlib.import_module("av")
    except ImportError as error:
        raise Unavailable("a video file needs the package av: pip install 'ehc[video]'") from error
    started = time.monotonic()
    try:
        with av.open(str(file)) as container:
            for picture in container.decode(video=0):
                time.sleep(max(0.0, started + float(picture.time or 0) - time.monotonic()))
                yield Frame.of(picture.to_ndarray(format="gray"), str(file))
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise FileError(f"{file}: the video cannot be read: {error}") from error
