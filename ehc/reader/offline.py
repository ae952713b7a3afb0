"""Codes checked where there is no network: signed ones (E3), by the list that the service signed (codes/offline.py).

What was accepted is kept before anybody is told: `keep` returns when it is on a disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from ehc.codes.offline import OfflineList, OfflineTerminal, SignedList, open_list
from ehc.crypto.signed import SignedVerdict
from ehc.errors import ConfigError, FileError, Unavailable
from ehc.model import Profile
from ehc.ports import Clock
from ehc.reader.payloads import read_payload
from ehc.reader.scanning import Outcome

LARGEST = 64 << 20
_HEX_DIGITS = 128


class Keep(Protocol):
    """Keeps a check that was accepted, for the service. Raises Unavailable when it cannot."""

    def __call__(self, payload: str, verdict: SignedVerdict, now: int) -> None: ...


class OfflineCheck:
    """A Check (scanning.py). found: None until a list was had, `take`. taken: serial names of codes that served once
    here before; keep: None keeps nothing, which is refused in a scene where codes serve once."""

    def __init__(
        self,
        found: OfflineList | None,
        scene: str,
        clock: Clock,
        keep: Keep | None = None,
        taken: set[bytes] | None = None,
    ) -> None:
        self._scene, self._clock, self._keep = scene, clock, keep
        self._taken = set() if taken is None else taken
        self._terminal: OfflineTerminal | None = None
        if found:
            self.take(found)

    def take(self, found: OfflineList) -> None:
        """Goes by this list from now on; codes that served stay known. Raises ConfigError where it has no place for
        this scene: nothing is accepted then."""
        self._terminal = OfflineTerminal(found, self._taken)
        if closed := self._closed(found):
            raise ConfigError(closed)

    def _closed(self, found: OfflineList) -> str:
        """Why a list accepts nothing in this scene, or ""."""
        if self._scene not in found.scenes:
            offered = ", ".join(found.scenes) or "none"
            return f"scene {self._scene}: codes are not taken without network there (the list has: {offered})"
        if self._keep is None and self._scene in found.single_use:
            return f"scene {self._scene}: a code serves once there, so what is accepted has to be kept: --queue"
        return ""

    def __call__(self, payload: str) -> Outcome:
        """Raises Unavailable for what needs the service, and without a list that holds; InputError never."""
        if read_payload(payload).profile is not Profile.E3:
            raise Unavailable("without network only signed codes (EHC3) can be checked; this one needs the service")
        now, terminal = self._clock(), self._terminal
        if terminal is None:
            raise Unavailable("there is no offline list yet: it comes once the service was reached")
        if closed := self._closed(terminal.list):
            raise Unavailable(closed)
        if now > terminal.list.until + terminal.list.tolerance:
            raise Unavailable("the offline list is over: fetch another one (ehc reader list)")
        verdict = terminal.check(payload, self._scene, now)
        if verdict.accepted and self._keep is not None:
            self._kept(self._keep, payload, verdict, now)
        return Outcome(verdict.accepted, verdict.reason.value, verdict.step, verdict.detail or None, verdict.expires_at)

    def _kept(self, keep: Keep, payload: str, verdict: SignedVerdict, now: int) -> None:
        try:
            keep(payload, verdict, now)
        except Unavailable:
            self._taken.discard(verdict.serial_name)  # it was not accepted: it may come again
            raise


def read_list(file: Path, trusted: list[bytes]) -> OfflineList:
    """The signed list of a file, as `GET /v1/offline-list` gave it. Raises FileError, InputError that say why not."""
    try:
        if file.stat().st_size > LARGEST:
            raise FileError(f"{file}: no offline list has more than {LARGEST} bytes")
        signed = msgspec.json.decode(file.read_bytes(), type=SignedList)
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise FileError(f"{file}: this is no offline list: {error}") from error
    return open_list(signed, trusted)


def read_keys(file: Path) -> list[bytes]:
    """The issuer's public keys, 128 hex digits a line, as they were given by hand. Raises FileError."""
    try:
        words = file.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{file}: not a file of public keys: {error}") from error
    if not words or any(len(word) != _HEX_DIGITS for word in words):
        raise FileError(f"{file}: an issuer's public key is 128 hex digits, x and y; one a line")
    try:
        return [bytes.fromhex(word) for word in words]
    except ValueError as error:
        raise FileError(f"{file}: an issuer's public key is 128 hex digits: {error}") from error
