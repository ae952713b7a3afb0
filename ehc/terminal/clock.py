"""What time it is: the service's, once it was asked; this machine's own until then. An hour off is said."""

from __future__ import annotations

import threading
import time

from ehc.client import Client

ALARM_SECONDS = 10


class TerminalClock:
    """Goes on by a clock that never steps, so setting this machine's own changes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[float, float] | None = None  # the service's time, and when that was

    def __call__(self) -> int:
        """Seconds since 1970."""
        with self._lock:
            known = self._known
        return int(time.time() if known is None else known[0] + time.monotonic() - known[1])

    def ask(self, client: Client) -> None:
        """Raises Unavailable."""
        asked = time.monotonic()
        epoch = client.time().epoch
        answered = time.monotonic()
        with self._lock:
            self._known = epoch + 0.5, (asked + answered) / 2  # a whole second: half of it on average

    @property
    def drift(self) -> int | None:
        """Seconds that this machine's own clock is fast, negative where it is slow; None: nobody knows."""
        return None if self._known is None else round(time.time()) - self()

    @property
    def alarm(self) -> int:
        """The drift where it is worth saying, else 0."""
        drift = self.drift or 0
        return drift if abs(drift) > ALARM_SECONDS else 0
