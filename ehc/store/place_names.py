"""What the 48 bits stand for that a claim is held under: places, in a file that all workers of a host add to."""

from __future__ import annotations

import os
from pathlib import Path

MOST = 65_536
"""So many are remembered: invented names fill no disk."""


class PlaceNames:
    """A line a place: its number and its name. Lines are short, so one write is whole, also beside other writers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[int, str] = {}
        self._read()

    def remember(self, number: int, name: str) -> None:
        """A disk that is full costs the name, not the claim."""
        if number in self._names or not name or len(self._names) >= MOST:
            return
        self._names[number] = name
        try:
            file = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        except OSError:
            return
        try:
            os.write(file, f"{number} {name}\n".encode())
        except OSError:
            return
        finally:
            os.close(file)

    def name(self, number: int) -> str:
        """Empty when nobody remembers it."""
        if number not in self._names:
            self._read()
        return self._names.get(number, "")

    def _read(self) -> None:
        text = self._path.read_text("utf-8", "replace") if self._path.exists() else ""
        for line in text.splitlines():
            number, _, name = line.partition(" ")
            if number.isdigit():
                self._names[int(number)] = name
