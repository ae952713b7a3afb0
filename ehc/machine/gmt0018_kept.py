"""Keys of a GM/T 0018 machine, kept outside it in a file that the machine alone opens: wrapped under a KEK, or in an
SM2 envelope to one of its encryption pairs. The file holds no secret, and says what each version may be used for.

What it does not say truly is found when the machine brings a key in: its check value must be the one that stands here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from ehc.crypto.sm2 import PublicKey
from ehc.errors import Conflict, FileError, KeyringError
from ehc.keys.keyring import MAX_VERSION, Entry, Keyring
from ehc.keys.life import KeyState, Operation, Purpose, allowed
from ehc.machine.held import Versions

PURPOSES = (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY, Purpose.MAC_KEY, Purpose.WRAPPING_KEY)
"""What a machine is given; it signs with pairs of its own."""


class Sealed(NamedTuple):
    """A key as the machine takes it. kek: the place of the KEK it is wrapped under; pair: of the encryption pair it is
    sealed to (C1 ‖ C3 ‖ C2); one of them is 0."""

    raw: bytes
    kek: int
    pair: int
    check_value: str


class KeptKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version in the file."""

    purpose: Purpose
    version: Annotated[int, Meta(ge=1, le=255)]
    may: tuple[Operation, ...]
    check_value: Annotated[str, Meta(pattern="^[0-9A-F]{6}$")]
    kek: Annotated[int, Meta(ge=0)] = 0
    pair: Annotated[int, Meta(ge=0)] = 0
    sealed: bytes

    @property
    def name(self) -> tuple[Purpose, int]:
        return self.purpose, self.version


class KeptKeys(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="format", tag="ehc-machine-keys"
):
    """The file."""

    keys: tuple[KeptKey, ...]

    def of(self, purpose: Purpose) -> Versions[Sealed]:
        own = [one for one in self.keys if one.purpose is purpose]
        return Versions(
            purpose,
            [(k.version, Sealed(k.sealed, k.kek, k.pair, k.check_value), frozenset(k.may)) for k in own],
        )


def enclosed(keyring: Keyring, pair: int, point: bytes, before: KeptKeys | None = None) -> tuple[KeptKeys, list[Entry]]:
    """The keys of an open keyring for the machine whose encryption pair has this public key (x ‖ y), and those that are
    sealed for the first time. before: the file as it is; what stands there stays sealed as it is, with what it may now.

    Raises Conflict for a version whose state does not let it leave, and for one that the machine made itself.
    """
    machine, known = PublicKey(point), {one.name: one for one in (before or KeptKeys(keys=())).keys}
    made = [one for one in known.values() if one.kek]
    found, fresh = list[KeptKey](), list[Entry]()
    for entry in (one for one in keyring.entries if one.purpose in PURPOSES and one.raw):
        old = known.get((entry.purpose, entry.version))
        if old is not None and old.kek:
            raise Conflict(f"{entry.named()} is among the machine's keys already, made by itself")
        may = tuple(sorted(one for one in Operation if one.usage and keyring.may(entry, one)))
        if old is not None and (old.pair, old.check_value) == (pair, entry.check_value):
            found.append(msgspec.structs.replace(old, may=may))
        elif may:
            keyring.require(entry, Operation.EXPORT)
            fresh.append(entry)
            found.append(
                KeptKey(
                    purpose=entry.purpose,
                    version=entry.version,
                    may=may,
                    check_value=entry.check_value,
                    pair=pair,
                    sealed=machine.encrypt(entry.raw),
                )
            )
    return KeptKeys(keys=(*made, *found)), fresh


def generated(
    before: KeptKeys, purpose: Purpose, kek: int, wrapped: bytes, check_value: str
) -> tuple[KeptKeys, KeptKey]:
    """With a key that the machine made: the next version, active; it makes from now on."""
    version = max((one.version for one in before.keys if one.purpose is purpose), default=0) + 1
    if version > MAX_VERSION:
        raise Conflict(f"{purpose} has {MAX_VERSION} versions: the wire formats know no more")
    may = tuple(sorted(one for one in allowed(KeyState.ACTIVE) if one.usage in purpose.usages))
    key = KeptKey(purpose=purpose, version=version, may=may, check_value=check_value, kek=kek, sealed=wrapped)
    return KeptKeys(keys=(*before.keys, key)), key


def read_kept(path: Path) -> KeptKeys:
    """Raises KeyringError that says what is wrong with the file."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=KeptKeys)
    except OSError as error:
        raise KeyringError(f"setting machine_keys: {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeyringError(f"setting machine_keys: {path} is no file of `ehc sdf enclose`: {error}") from None
    names = [one.name for one in found.keys]
    odd = [one for one in found.keys if bool(one.kek) == bool(one.pair)]
    if odd or len(set(names)) < len(names):
        raise KeyringError(f"setting machine_keys: {path} has a version twice, or a key under no KEK and no pair")
    return found


def write_kept(path: Path, keys: KeptKeys) -> None:
    """In place as a whole, or not at all. Raises FileError."""
    fresh = path.with_name(path.name + ".new")
    try:
        with open(fresh, "wb", opener=_private) as file:
            file.write(msgspec.json.format(msgspec.json.encode(keys)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise FileError(f"{error.filename or path}: {error.strerror}") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def generation(path: Path) -> Callable[[], int]:
    """Another number whenever the file was replaced. Raises KeyringError when it is gone."""

    def found() -> int:
        try:
            seen = path.stat()
        except OSError as error:
            raise KeyringError(f"setting machine_keys: {path}: {error.strerror}") from error
        return hash((seen.st_mtime_ns, seen.st_ino, seen.st_size))

    return found
