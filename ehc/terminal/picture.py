"""The live picture: the frame that was looked at last, small and grey, as JPEG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ehc._frame import FramePipeline
from ehc.reader.sources import Frame

WIDTH = 640
QUALITY = 65


class Pictures:
    """One a terminal; each frame is drawn once, however many look."""

    def __init__(self) -> None:
        self._pipeline = FramePipeline()
        self._drawn: tuple[Frame, bytes] | None = None

    def draw(self, frame: Frame) -> bytes:
        if self._drawn is None or self._drawn[0] is not frame:
            self._drawn = frame, self._jpeg(frame)
        return self._drawn[1]

    def _jpeg(self, frame: Frame) -> bytes:
        size = frame.width, frame.height, frame.stride
        grey = np.asarray(self._pipeline.luma(frame.pixels, frame.format, 0, None, *size))
        step = max(1, grey.shape[1] // WIDTH)
        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(grey[::step, ::step])).save(out, "jpeg", quality=QUALITY)
        return out.getvalue()
