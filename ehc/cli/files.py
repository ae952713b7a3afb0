"""Files that a command was given, whole: read, or made anew. Loads nothing of the house but its errors."""

from __future__ import annotations

import os
from pathlib import Path

from ehc.errors import FileError

PRIVATE = 0o600


def read(file: Path, what: str) -> bytes:
    """Raises FileError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileError(f"{what} {file}: {error.strerror}") from error


def write(file: Path, data: bytes | bytearray, *, private: bool = False) -> None:
    """A new file; private: for its owner alone. Raises FileError."""
    try:
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE if private else 0o644), "wb") as out:
            out.write(data)
    except FileExistsError as error:
        raise FileError(f"{file} is there already: it is not written over") from error
    except OSError as error:
        raise FileError(f"{file} cannot be written: {error.strerror}") from error
