"""Machines behind GM/T 0018 over libehcsdf.so, for the contract of ports.KeyService."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from ehc.crypto import sdf_device, sm4_ecb_encrypt
from ehc.keys.keyring import Keyring
from ehc.machine.gmt0018 import Device, Library
from ehc.machine.gmt0018_keys import Gmt0018Machine, WrappedKeys

KEK = bytes(range(16))


@lru_cache
def _home() -> Path:
    """A folder of our machine with one KEK."""
    folder = Path(tempfile.mkdtemp(prefix="ehc-sdf-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sdf_device.create(folder / "home", datetime.now(UTC))
    sdf_device.add_kek(folder / "home", 1, KEK)
    return folder / "home"


def sdf_machine(opened: Callable[[], Keyring]) -> Gmt0018Machine:
    """The keys of the keyring, brought in under the KEK."""
    before = os.environ.get("EHC_SDF_HOME")
    os.environ["EHC_SDF_HOME"] = str(_home())
    try:
        device = Device(Library(sdf_device.LIBRARY, "ehc"))
    finally:
        os.environ.pop("EHC_SDF_HOME")
        if before is not None:
            os.environ["EHC_SDF_HOME"] = before
    with opened() as keyring:
        return Gmt0018Machine(device, WrappedKeys.of(keyring, 1, lambda entry: sm4_ecb_encrypt(KEK, bytes(entry.raw))))
