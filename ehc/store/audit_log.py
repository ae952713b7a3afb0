"""The files of the audit log: `audit.log`, one record a line, and `audit.checkpoints`, one signed checkpoint a line.

Both are only ever appended to. A record is written and synced before this returns, so who acts afterwards acts on the
record; when it cannot be written nothing is done. What a crash or a full disk left of a line without its end was never
acknowledged: the next writer cuts it off and says so in a record of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec

from ehc.errors import InputError, KeyringError
from ehc.keys.audit import ZERO, Actor, Checkpoint, Proof, Record, line_of, proof, read_line, signed_checkpoint

Sign = Callable[[bytes], bytes]
_BLOCK = "machine.block"
_TAIL_BYTES = 1 << 18
"""Read from the end to find the last records; one record is far shorter."""


class AuditLog:
    """The log in one folder. Every failure is a KeyringError that names the file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.log"
        self.checkpoints = folder / "audit.checkpoints"

    def append(self, act: str, what: dict[str, Any], actor: Actor, at: int | None = None) -> Record:
        """The record, durable. what: names, numbers, digests; never a secret. Raises KeyringError: do nothing then."""
        with _reporting(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _reporting(self.path), _opened(self.path) as file:
            now = int(time.time()) if at is None else at
            seq, prev = self._next(file, now)
            record = Record(seq=seq, at=now, who=actor.name, role=actor.role, act=act, what=what, prev=prev)
            _add(file, line_of(record))
            return record

    def _next(self, file: FileIO, now: int) -> tuple[int, str]:
        """Number and `prev` of the next record, after an unfinished line was cut off."""
        whole, torn = _last_lines(file)
        seq, prev = 0, ZERO
        if whole:
            last, prev = read_line(whole[-1])
            seq = last.seq + 1
        if not torn:
            return seq, prev
        file.truncate(file.seek(0, os.SEEK_END) - len(torn))
        actor = Actor("ehc")
        cut = Record(
            seq=seq, at=now, who=actor.name, role=actor.role, act="recover", what={"unfinished": len(torn)}, prev=prev
        )
        line = line_of(cut)
        _add(file, line)
        return seq + 1, read_line(line)[1]

    def backwards(self, *acts: str) -> Iterator[Record]:
        """The records of these acts from the last one back; none without a log. Every record on the way is read,
        but for a machine's blocks, which may be there by the million. Raises KeyringError for a changed one."""
        passed_over = b"" if _BLOCK in acts else f'"act":"{_BLOCK}"'.encode()
        with _reporting(self.path):
            if not self.path.exists():
                return
            with open(self.path, "rb", buffering=0) as file:
                for line in _lines_backwards(file):
                    if passed_over and passed_over in line:
                        continue
                    if (record := read_line(line)[0]).act in acts:
                        yield record

    def checkpoint(self, public_key: bytes, sign: Sign, at: int | None = None) -> Checkpoint:
        """Sign what the log is now. public_key: x ‖ y; sign: SM2."""
        with _reporting(self.checkpoints), _opened(self.checkpoints) as file:
            _, torn = _last_lines(file)
            if torn:
                file.truncate(file.seek(0, os.SEEK_END) - len(torn))
            made = signed_checkpoint(self.lines(), int(time.time()) if at is None else at, public_key, sign)
            _add(file, msgspec.json.encode(made) + b"\n")
            return made

    def lines(self) -> list[bytes]:
        """Every whole line, with its newline."""
        with _reporting(self.path):
            *whole, _ = self.path.read_bytes().split(b"\n")
        return [line + b"\n" for line in whole]

    def prove(self, seq: int) -> Proof:
        """That record `seq` stands in the log, under the last checkpoint. Raises InputError when none covers it."""
        with _reporting(self.checkpoints):
            *lines, _ = self.checkpoints.read_bytes().split(b"\n") if self.checkpoints.exists() else [b""]
        last = msgspec.json.decode(lines[-1], type=Checkpoint) if lines else None
        if last is None or not 0 <= seq < last.size:
            covered = f"records 0 to {last.size - 1}" if last else "none"
            raise InputError(f"record {seq} is under no checkpoint; what is: {covered}")
        return proof(self.lines(), seq, last)


def _last_lines(file: FileIO) -> tuple[list[bytes], bytes]:
    """The whole lines among the last bytes of a file, and what follows the last newline."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    *lines, torn = file.read().split(b"\n")
    if size > _TAIL_BYTES:
        del lines[:1]  # its beginning was not read
    return [line + b"\n" for line in lines], torn


def _lines_backwards(file: FileIO) -> Iterator[bytes]:
    """The whole lines of a file, the last one first, each with its newline."""
    end, rest = file.seek(0, os.SEEK_END), b""
    while end > 0:
        begin = max(0, end - _TAIL_BYTES)
        file.seek(begin)
        first, *lines = (file.read(end - begin) + rest).split(b"\n")
        end, rest = begin, first + b"\n" if lines else first
        for line in reversed(lines[:-1]):
            yield line + b"\n"
    if rest.endswith(b"\n"):
        yield rest


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[FileIO]:
    """To append to, by one process at a time; unbuffered, so that nothing is written later than asked."""
    with open(path, "a+b", buffering=0, opener=_private) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _add(file: FileIO, line: bytes) -> None:
    """Append and sync, or leave the file as it was."""
    before, left = file.seek(0, os.SEEK_END), line
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(before)
        raise


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyringError(f"audit log {error.filename or path}: {error.strerror}; nothing was done") from error
    except KeyringError as error:
        raise KeyringError(f"audit log {path}: {error}") from None


def _private(path: str, flags: int) -> int:
    """Opener: the owner's alone, made if it is not there, never through a link."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
