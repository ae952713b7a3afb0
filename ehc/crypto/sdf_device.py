"""The folder of keys behind libehcsdf.so (native/sdf/), as its administrator makes and fills it.

A folder holds sealed records under a storage key (device.key in it, or the file that EHC_SDF_KEY names); programs find
it by EHC_SDF_HOME.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

from ehc import _native
from ehc.errors import ConfigError, Conflict, InputError, NotFound, Unavailable

LIBRARY = Path(__file__).parents[1] / "libehcsdf.so"
"""Our machine, for whoever opens a GM/T 0018 library by its path."""

_ERRORS = {  # SDR_* of native/include/sdf.h
    0x01000005: (ConfigError, "{home} is no folder of this machine, or its storage key is missing or not yours alone"),
    0x01000008: (NotFound, "there is no key {index} in {home}"),
    0x0100001A: (Conflict, "{home} has that already: nothing was changed"),
    0x0100001D: (InputError, "an index is 1 to 1024, a password 8 to 128 bytes"),
    0x0100001B: (Unavailable, "{home} cannot be written"),
    0x01000004: (
        Unavailable,
        "a record of {home} was changed or torn, or OpenSSL's libcrypto is missing (EHC_LIBCRYPTO)",
    ),
}


def _check(status: int, home: Path, index: int = 0) -> None:
    if status:
        kind, text = _ERRORS.get(status, (Unavailable, "{home}: the machine answered 0x{status:08X}"))
        raise kind(text.format(home=home, index=index, status=status))


def create(home: Path, now: datetime, serial: int | None = None) -> str:
    """A new machine in an empty or absent folder; gives its serial number: date, batch 001, five digits."""
    number = secrets.randbelow(100_000) if serial is None else serial
    name = f"{now:%Y%m%d}001{number:05d}"
    home.parent.mkdir(parents=True, exist_ok=True)
    _check(_native.sdf_create(os.fsencode(home), name.encode()), home)
    return name


def add_pair(home: Path, index: int, password: bytes | bytearray) -> None:
    """SM2 key pairs for signing and for encryption at an index, behind a password of 8 to 128 bytes."""
    _check(_native.sdf_add_pair(os.fsencode(home), index, password), home, index)


def unlock_pair(home: Path, index: int) -> None:
    """Forgets the wrong passwords counted against a pair."""
    _check(_native.sdf_unlock_pair(os.fsencode(home), index), home, index)


def add_kek(home: Path, index: int, raw: bytes | bytearray | None = None) -> None:
    """A key-encryption key (KEK) at an index: a new random one, or these 16 bytes."""
    _check(_native.sdf_add_kek(os.fsencode(home), index, raw), home, index)
