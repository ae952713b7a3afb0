"""The issuer's list for times without network: fetched while the service is there, kept on the disk, the last good one
used while it is away.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from ehc.client import Client
from ehc.codes.offline import OfflineList, SignedList, open_list
from ehc.errors import EhcError, FileError, InputError
from ehc.reader.offline import read_keys, read_list


class KeptList:
    """file: where the list lies; beside it, in FILE.keys, the keys that lists of before named, which may sign the next
    one: so an issuer changes its key without anybody coming to the terminal. trusted: the keys that were given by hand.

    Raises FileError, InputError for a list on the disk that is none of theirs.
    """

    def __init__(self, file: Path, trusted: list[bytes]) -> None:
        self._file, self._keys, self._trusted = file, file.with_name(file.name + ".keys"), list(trusted)
        if self._keys.exists():
            self._trusted += read_keys(self._keys)
        self.held: OfflineList | None = read_list(file, self._trusted) if file.exists() else None

    @classmethod
    def fetched(cls, file: Path, trusted: list[bytes], note: Callable[[str], None]) -> KeptList:
        """One that will be fetched: what is damaged on the disk, or nobody's, is said and laid aside."""
        try:
            return cls(file, trusted)
        except EhcError as error:
            note(f"{error}; another one is fetched")
        for path in (file, file.with_name(file.name + ".keys")):
            with contextlib.suppress(FileNotFoundError):
                path.replace(path.with_name(path.name + ".bad"))
        return cls(file, trusted)

    def refresh(self, client: Client) -> OfflineList:
        """The service's list of now, on the disk when this returns. Raises what the client does; InputError for a list
        that no trusted key signed, that is older than the one held, or another issuer's; FileError."""
        answer = client.offline_list()
        signed = SignedList(answer.list, answer.key_version, answer.signature)
        found = open_list(signed, self._trusted)
        self._follows(found)
        known = {key.hex() for key in self._trusted} | {key.lower() for key in found.keys.values()}
        if len(known) > len(self._trusted):
            write_whole(self._keys, "\n".join(sorted(known)).encode())  # first: it has to open the list after a crash
            self._trusted = [bytes.fromhex(key) for key in sorted(known)]
        write_list(self._file, signed)
        self.held = found
        return found

    def _follows(self, found: OfflineList) -> None:
        if self.held is None:
            return
        if found.issuer != self.held.issuer:
            raise InputError(f"list: of issuer {found.issuer}, this terminal's is {self.held.issuer}")
        if found.issued_at < self.held.issued_at:
            raise InputError("list: older than the one that is held")


def write_list(file: Path, signed: SignedList) -> None:
    """Raises FileError."""
    write_whole(file, msgspec.json.encode(signed))


def write_whole(file: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk when this returns. Raises FileError."""
    fresh = file.with_name(file.name + ".new")
    try:
        with fresh.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, file)
    except OSError as error:
        raise FileError(f"{file}: cannot be written: {error.strerror}") from error
