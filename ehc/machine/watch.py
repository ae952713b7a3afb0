"""Noticing within a second that a keyring was changed: a small read twice a second, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ehc.errors import KeyringError

log = logging.getLogger("ehc.machine")
SECONDS = 0.4


class KeyringWatch:
    """generation: another number after every change. renew: opens the keyring and takes it over.

    A keyring that cannot be read leaves the keys as they are, and `problem` says why until it can be.
    """

    def __init__(self, generation: Callable[[], int], renew: Callable[[], None], known: int) -> None:
        self._generation, self._renew, self._known = generation, renew, known
        self._ended = threading.Event()
        self.problem = ""
        threading.Thread(target=self._watch, name="ehc-keyring-watch", daemon=True).start()

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS):
            self.look()

    def look(self) -> None:
        """Once, now."""
        try:
            found = self._generation()
            if found != self._known:
                self._renew()
                self._known = found
                log.info("the keyring was changed: its keys are in use as they are now")
            self.problem = ""
        except KeyringError as error:
            if not self.problem:
                log.error("the keyring cannot be looked at; the keys stay as they were: %s", error)
            self.problem = str(error)

    def close(self) -> None:
        self._ended.set()
