"""Frames that come faster than they are read are dropped: the newest wins, and those that lost are counted."""

from __future__ import annotations

import threading

from ehc.reader.sources import Frame


class Slot:
    """One frame. Any thread puts, one takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self.frames = self.dropped = 0

    def put(self, frame: Frame) -> None:
        with self._changed:
            self.dropped += self._frame is not None
            self.frames += 1
            self._frame = frame
            self._changed.notify()

    def take(self, seconds: float) -> Frame | None:
        """None when none came in that time."""
        with self._changed:
            if self._frame is None:
                self._changed.wait(seconds)
            frame, self._frame = self._frame, None
        return frame
