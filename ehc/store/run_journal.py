"""How a long run over files survives kill -9: the output grows in `OUT.part`, `OUT.progress` says how far it counts.

Each block is appended to the part; now and then (`Checkpoints`) the part is synced, then the journal replaced. A run
that begins anew cuts the part back to the length in the journal and goes on from there; what was not in the journal is
done again. A journal of another input, other options or another key is refused. `OUT.lock` keeps a second process away.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from ehc.errors import Conflict, FileError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_ROOM_BYTES = 1 << 25


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What has been done, on the disk."""

    offset: int  # of the input, bytes or rows
    line: int  # of the input at that offset
    output: int = 0  # bytes of the output that count
    rejects: int = 0  # bytes of the rejects file that count
    rows: int = 0
    cards: int = 0
    finishing: bool = False  # all is done and the files are being put in their places


class _Document(msgspec.Struct):
    job: dict[str, str]
    progress: Progress


class Journal:
    """The journal of one output file; hold `locked()` while using it."""

    def __init__(self, output: Path, job: dict[str, str]) -> None:
        """job: what must be the same for a run to go on, by names that a person understands."""
        self._output, self._job = output, job
        self._file = beside(output, ".progress")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Raises Conflict when another process writes the same output."""
        path = beside(self._output, ".lock")
        held = _lock(path)
        if held is None:
            raise Conflict(f"another process is writing {self._output}: wait for it, or choose another output")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(held)

    def load(self) -> Progress | None:
        """Where an earlier run of the same job stopped; None when there was none. Raises Conflict for another job."""
        try:
            document = msgspec.json.decode(self._file.read_bytes(), type=_Document)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            raise Conflict(f"{self._file} is no journal of this program: --restart throws it away") from None
        keys = sorted(document.job.keys() | self._job.keys())
        changed = [key for key in keys if document.job.get(key) != self._job.get(key)]
        if changed:
            raise Conflict(
                f"{self._output} was begun by a run that differs in: {', '.join(changed)}; "
                f"--restart throws its {document.progress.rows:,} rows away, another output keeps them"
            )
        return document.progress

    def save(self, progress: Progress) -> None:
        fresh = beside(self._file, ".new")
        with private(fresh, "wb") as file:
            file.write(msgspec.json.encode(_Document(self._job, progress)))
            sync(file)
        put(fresh, self._file)

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


def _lock(path: Path) -> int | None:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), path.stat()):  # else its holder removed it in between
                return fd
        except BlockingIOError:
            os.close(fd)
            return None
        except FileNotFoundError:
            pass
        os.close(fd)


def beside(path: Path, suffix: str) -> Path:
    """Raises FileError for a path that ends in no name."""
    if not path.name:
        raise FileError(f"{path}: this is a folder, a file is wanted")
    return path.with_name(path.name + suffix)


def private(path: Path, mode: str) -> BinaryIO:
    """Open a file that is made for its owner alone (0600)."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))  # type: ignore[return-value]


def sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def put(fresh: Path, path: Path) -> None:
    """Give a synced file its name, for good. When it has gone from its old one, an earlier run did that."""
    with contextlib.suppress(FileNotFoundError):
        os.replace(fresh, path)
    sync_folder(path.parent)


def open_part(path: Path, length: int) -> BinaryIO:
    """Open for writing after the first `length` bytes; what was written behind them never was in the journal."""
    if not length:
        file = private(path, "wb")
        sync_folder(path.parent)
        return file
    if not path.exists() or path.stat().st_size < length:
        raise FileError(f"{path} is missing or shorter than its journal says: --restart begins anew")
    file = private(path, "r+b")
    file.truncate(length)
    file.seek(length)
    return file


class GrowingPart(io.RawIOBase):
    """`OUT.part` behind its first `length` bytes. Room on the disk is taken well ahead of the writing, which on ext4
    makes it several times faster; what is not used in the end is cut off."""

    def __init__(self, path: Path, length: int) -> None:
        self._file = open_part(path, length)
        self.end = self._room = length

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        """All of it."""
        size = memoryview(data).nbytes
        if self.end + size > self._room:
            self._reserve(_ROOM_BYTES + size)
        self.end += self._file.write(data)
        return size

    def flush(self) -> None:
        """Hand what was written to the system."""
        if not self.closed:
            self._file.flush()

    def _reserve(self, length: int) -> None:
        """Where there is no such room, or no such call, the write itself will say what is the matter."""
        with contextlib.suppress(OSError):
            os.posix_fallocate(self._file.fileno(), self._room, length)
        self._room += length

    def sync(self) -> None:
        """Make durable what was flushed; may run beside write(). It leaves the page cache, and the next pages take its
        memory: where a virtual machine gives free memory back to its host, fresh ones cost 400 ns a row, these 50."""
        os.fsync(self._file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def complete(self) -> None:
        self._file.truncate(self.end)
        sync(self._file)

    def close(self) -> None:
        super().close()
        self._file.close()


class Checkpoints:
    """Puts a run's progress into its journal, at most every so many seconds, while the work goes on.

    seconds 0: at every offer, before the work goes on.
    """

    def __init__(self, seconds: float, write: Callable[[Progress], None]) -> None:
        """write: makes what is in the files durable, then the progress; it runs in a thread."""
        self._seconds, self._write = seconds, write
        self._pool = ThreadPoolExecutor(1, "ehc-checkpoint")
        self._running: Future[None] | None = None
        self._last = time.monotonic()

    def due(self) -> bool:
        """Raises what the one before raised."""
        if self._running and self._running.done():
            self._running.result()
            self._running = None
        return not self._running and time.monotonic() - self._last >= self._seconds

    def begin(self, progress: Progress) -> None:
        self._last = time.monotonic()
        self._running = self._pool.submit(self._write, progress)
        if not self._seconds:
            self._running.result()

    def close(self) -> None:
        """Wait for the last one. Raises what it raised."""
        self._pool.shutdown()
        if self._running:
            self._running.result()
