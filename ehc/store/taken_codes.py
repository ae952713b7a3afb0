"""Codes that were issued, claimed or revoked on this host: sets in files that all worker processes map.

A set is written only by filling empty slots (native/token/claims.c), so processes need no lock, and what one wrote
before a kill -9 stays. A code stands in the files of the time at which it ends: `NAME-PERIOD-EPOCH-N`, N counting the
files that one epoch has filled. Files of the past are deleted whole, KEEP_AFTER seconds later, for clocks set back.

The kernel may lose the last seconds when the machine itself fails: `opened_at` is then the time of the next start, and
a code issued before may not be claimed any more.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ehc.crypto.claims import REVOKED, Claims, CodeSets
from ehc.errors import Unavailable
from ehc.model import Claim

KEEP_AFTER = 86_400
FORGET_EVERY = 512  # seconds
SLOT = 16  # bytes
_CLAIMS = tuple(sorted(Claim))  # a claim at its own number, which is that of ehc.h


class TakenCodes:
    """folder: on a local disk, for this name alone. slots: of the first file of an epoch, a power of two; each next one
    has four times as many. steady: seconds of a clock that never steps."""

    def __init__(
        self, folder: Path, name: str, now: int, slots: int = 4096, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._name, self._slots = folder, name, slots
        self._forget_at = now + FORGET_EVERY
        self._steady, self._began = steady, now - steady()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            secret = _once(folder / "secret", secrets.token_bytes(16))
            self.opened_at = _since_boot(folder, now)
        except OSError as error:
            raise _unavailable(folder, error) from error
        self.sets = CodeSets(secret, self._open)

    def claim(self, code: bytes, issued_at: int, until: int, holder: int, uses: int) -> Claim:
        """WON for the first `uses` claimants; holder: 48 bits, who is the last of them may claim AGAIN. Where uses is 0
        nothing is claimed: REVOKED, or NONE."""
        return _CLAIMS[self.sets.claim(code, issued_at, until, holder, uses)]

    def claim_many(
        self, codes: Sequence[bytes], issued_at: Sequence[int], until: Sequence[int], uses: Sequence[int], holder: int
    ) -> list[Claim]:
        """claim() of one after the other."""
        return [_CLAIMS[status] for status in self.sets.claim_many(codes, issued_at, until, uses, holder)]

    def put(self, code: bytes, issued_at: int, until: int, holder: int = 0) -> None:
        """The code is the holder's, whoever had it."""
        self.sets.put(code, issued_at, until, holder)

    def holder(self, code: bytes, issued_at: int, until: int) -> int | None:
        """None when nobody has it."""
        return self.sets.holder(code, issued_at, until)

    def revoked(self, code: bytes, issued_at: int, until: int) -> bool:
        return self.holder(code, issued_at, until) == REVOKED

    def forget(self, now: int) -> None:
        """Delete files whose time is over; does nothing when it is early. Call it often.

        A clock that was set far ahead, and may be set right again, does not make their time over.
        """
        if now < self._forget_at:
            return
        self._forget_at, now = now + FORGET_EVERY, min(now, int(self._began + self._steady()))
        end = now - KEEP_AFTER
        self.sets.forget(end)  # also those whose files another process deleted
        for path in self._folder.glob(f"{self._name}-*-*-*"):
            period, epoch, _ = map(int, path.name.removeprefix(f"{self._name}-").split("-"))
            if (epoch + 1) * period < end:
                path.unlink(missing_ok=True)

    def _open(self, period: int, epoch: int, n: int) -> Claims:
        """Two processes may make the file at once: it is the same, all zero, whoever was first."""
        path = self._folder / f"{self._name}-{period}-{epoch}-{n}"
        size = SLOT * self._slots << 2 * n
        try:
            return Claims(mapped(path, size))
        except OSError as error:
            raise _unavailable(self._folder, error) from error


def mapped(path: Path, size: int) -> mmap.mmap:
    """The file as memory that all processes share which map it; zeros where it is not there yet. Raises OSError.

    It has all its room on the disk: touching what a mapping has no room for would kill the process.
    """
    with open(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
        if os.fstat(file.fileno()).st_blocks * 512 < size or os.fstat(file.fileno()).st_size < size:
            os.posix_fallocate(file.fileno(), 0, size)
        return mmap.mmap(file.fileno(), size)


def _once(path: Path, value: bytes) -> bytes:
    """What is in the file; the value, when it is made now. All processes get the same. One that is there needs no room
    on the disk to be read."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        fresh.write_bytes(value)
        fresh.chmod(0o600)
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return path.read_bytes()


def _since_boot(folder: Path, now: int) -> int:
    """When the folder was first opened since the machine started; 0 when it is new: then nothing can be lost."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    name = boot.read_text("ascii").strip() if boot.exists() else "unknown"
    since = 0 if not any(folder.glob("boot-*")) else now
    found = int(_once(folder / f"boot-{name}", str(since).encode()))
    for path in folder.glob("boot-*"):
        if path.name != f"boot-{name}":
            path.unlink(missing_ok=True)
    return found


def _unavailable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"the folder of used codes {folder} cannot be written: {error.strerror}")
