"""A machine of GM/T 0018 in a folder of its own, and sessions with it; the machine's end of the host protocol."""

import ctypes
import os
from ctypes import byref, c_void_p
from datetime import UTC, datetime

import pytest
from host_ends import Served
from sdf_sessions import KEK, LIBRARY, PASSWORD, Session

from ehc.crypto import sdf_device


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdf") / "home"
    sdf_device.create(folder, datetime(2026, 11, 29, tzinfo=UTC), serial=42)
    sdf_device.add_pair(folder, 1, PASSWORD)
    sdf_device.add_pair(folder, 2, b"another password")
    sdf_device.add_kek(folder, 1, KEK)
    return folder


@pytest.fixture(scope="module")
def library(home):
    os.environ["EHC_SDF_HOME"] = str(home)
    yield ctypes.CDLL(str(LIBRARY))
    del os.environ["EHC_SDF_HOME"]


@pytest.fixture
def device(library):
    handle = c_void_p()
    assert library.SDF_OpenDevice(byref(handle)) == 0
    yield handle
    library.SDF_CloseDevice(handle)


@pytest.fixture
def sdf(library, device):
    return Session(library, device)


@pytest.fixture
def served():
    server = Served()
    yield server
    server.stop()
