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
from functools import lru_cache
from pathlib import Path

from ehc.crypto.claims import FULL, REVOKED, Claims, fingerprint, fingerprints
from ehc.errors import Unavailable
from ehc.model import Claim

KEEP_AFTER = 86_400
SHORTEST_PERIOD = 512  # seconds
SLOT = 16  # bytes
_LOST, _NONE = int(Claim.LOST), Claim.NONE

_CLAIMS = tuple(sorted(Claim))  # a claim at its own number, which is that of ehc.h

Named = tuple[int, tuple[int, int]]
"""A code's fingerprint, and the period and epoch of its files."""


class TakenCodes:
    """folder: on a local disk, for this name alone. slots: of the first file of an epoch, a power of two; each next one
    has four times as many. steady: seconds of a clock that never steps."""

    def __init__(
        self, folder: Path, name: str, now: int, slots: int = 4096, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._name, self._slots = folder, name, slots
        self._chains: dict[tuple[int, int], list[Claims]] = {}
        self._forget_at = now + SHORTEST_PERIOD
        self._steady, self._began = steady, now - steady()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._secret = _once(folder / "secret", secrets.token_bytes(16))
            self.opened_at = _since_boot(folder, now)
        except OSError as error:
            raise _unavailable(folder, error) from error

    def named(self, code: bytes, issued_at: int, until: int) -> Named:
        """What a code is known by in all sets of one folder."""
        return fingerprint(self._secret + code), _place(issued_at, until)

    def claim(self, code: bytes, issued_at: int, until: int, holder: int, uses: int) -> Claim:
        """WON for the first `uses` claimants; holder: 48 bits, who is the last of them may claim AGAIN."""
        return self.claim_named(self.named(code, issued_at, until), holder, uses)

    def claim_named(self, named: Named, holder: int, uses: int) -> Claim:
        name, place = named
        chain = self._chains.get(place) or [self._set(place, 0)]
        status, n = chain[0].claim(name, holder, uses), 0
        while status == FULL:
            n += 1
            status = self._set(place, n).claim(name, holder, uses)
        return _CLAIMS[status]

    def claim_many(
        self, codes: Sequence[bytes], issued_at: Sequence[int], until: Sequence[int], uses: Sequence[int], holder: int
    ) -> list[Claim]:
        """claim() of one after the other. Where uses is 0 nothing is claimed: REVOKED, or NONE."""
        found, names = [_NONE] * len(codes), fingerprints(self._secret, codes)
        rows: dict[tuple[int, int], list[int]] = {}
        for n, place in enumerate(map(_place, issued_at, until)):
            rows.setdefault(place, []).append(n)
        for place, ns in rows.items():
            statuses = self._statuses(place, [names[n] for n in ns], holder, [uses[n] for n in ns])
            for n, status in zip(ns, statuses, strict=True):
                found[n] = _CLAIMS[status]
        return found

    def _statuses(self, place: tuple[int, int], names: list[int], holder: int, uses: list[int]) -> list[int]:
        """For whom one file has no slot, the next one is asked."""
        found, n = self._set(place, 0).claim_many(names, holder, uses), 0
        while full := [i for i, status in enumerate(found) if status == FULL]:
            n += 1
            again = self._set(place, n).claim_many([names[i] for i in full], holder, [uses[i] for i in full])
            for i, status in zip(full, again, strict=True):
                found[i] = status
        return found

    def put(self, code: bytes, issued_at: int, until: int, holder: int = 0) -> None:
        """The code is the holder's, whoever had it."""
        self.put_named(self.named(code, issued_at, until), holder)

    def put_named(self, named: Named, holder: int) -> None:
        name, place = named
        chain = self._chains.get(place) or [self._set(place, 0)]
        status, n = chain[0].set(name, holder), 0
        while status == FULL:
            n += 1
            status = self._set(place, n).set(name, holder)

    def holder(self, code: bytes, issued_at: int, until: int) -> int | None:
        """None when nobody has it."""
        name, place = self.named(code, issued_at, until)
        chain = self._chains.get(place) or [self._set(place, 0)]
        status, holder = chain[0].holder(name)
        n = 0
        while status == FULL:
            n += 1
            status, holder = self._set(place, n).holder(name)
        return holder if status == _LOST else None

    def revoked(self, code: bytes, issued_at: int, until: int) -> bool:
        return self.holder(code, issued_at, until) == REVOKED

    def forget(self, now: int) -> None:
        """Delete files whose time is over; does nothing when it is early. Call it often.

        A clock that was set far ahead, and may be set right again, does not make their time over.
        """
        if now < self._forget_at:
            return
        self._forget_at, now = now + SHORTEST_PERIOD, min(now, int(self._began + self._steady()))
        for path in self._folder.glob(f"{self._name}-*-*-*"):
            period, epoch, _ = map(int, path.name.removeprefix(f"{self._name}-").split("-"))
            if (epoch + 1) * period + KEEP_AFTER < now:
                self._chains.pop((period, epoch), None)
                path.unlink(missing_ok=True)

    def _set(self, place: tuple[int, int], n: int) -> Claims:
        chain = self._chains.get(place)
        if chain is None:
            chain = self._chains.setdefault(place, [])
        while len(chain) <= n:
            chain.append(self._open(place, len(chain)))
        return chain[n]

    def _open(self, place: tuple[int, int], n: int) -> Claims:
        """Two processes may make the file at once: it is the same, all zero, whoever was first."""
        path = self._folder / f"{self._name}-{place[0]}-{place[1]}-{n}"
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


@lru_cache(1024)
def _place(issued_at: int, until: int) -> tuple[int, int]:
    """(period, epoch). The longer a code lives, the longer its period; up to an hour all are alike, so that a change of
    the setting loses none of the codes that are about."""
    period = max(SHORTEST_PERIOD, 1 << max(0, (until - issued_at).bit_length() - 3))
    return period, until // period


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
