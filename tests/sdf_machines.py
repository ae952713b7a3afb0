"""Machines behind GM/T 0018 over libehcsdf.so, for the contract of ports.KeyService."""

import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ehc.crypto import sdf_device
from ehc.keys.keyring import Keyring
from ehc.machine.gmt0018 import Device, Library
from ehc.machine.gmt0018_kept import KeptKeys, enclosed
from ehc.machine.gmt0018_keys import Gmt0018Machine, MachineKeys

PAIR, PASSWORD = 1, b"the pairs' password"


def created(home: Path) -> Path:
    """A folder of our machine with one pair of keys."""
    sdf_device.create(home, datetime.now(UTC))
    sdf_device.add_pair(home, PAIR, PASSWORD)
    return home


@contextmanager
def environment(home: Path):
    """In which our library finds its folder."""
    before = os.environ.get("EHC_SDF_HOME")
    os.environ["EHC_SDF_HOME"] = str(home)
    yield
    os.environ.pop("EHC_SDF_HOME")
    if before is not None:
        os.environ["EHC_SDF_HOME"] = before


def sdf_machine(opened: Callable[[], Keyring], home: Path) -> Gmt0018Machine:
    """The keys of the keyring, brought in sealed to its encryption pair."""
    with environment(home):
        device = Device(Library(sdf_device.LIBRARY, "ehc"))
    machine = Gmt0018Machine(device, MachineKeys.of(KeptKeys(keys=()), {}, PASSWORD))
    with opened() as keyring:
        machine.take_over(
            MachineKeys.of(enclosed(keyring, PAIR, device.session().public_key(PAIR, "Enc"))[0], {}, PASSWORD)
        )
    return machine
