"""Keys kept out of core dumps, swap and freed memory: asked of the kernel, and looked for from outside."""

import mmap
import os
import resource
import signal
import subprocess
import sys

from keyrings import NOW
from process_memory import found_in, memory_of

from ehc.crypto import KeyHandle
from ehc.crypto.secret_memory import hold
from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder

PURPOSES = (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY, Purpose.MAC_KEY, Purpose.WRAPPING_KEY)


def flags_of(address):
    """What the kernel says of the mapping an address stands in."""
    found, inside = {}, False
    with open("/proc/self/smaps") as maps:
        for line in maps:
            head = line.split()[0]
            if "-" in head and not head.endswith(":"):
                start, end = (int(part, 16) for part in head.split("-"))
                inside = start <= address < end
            elif inside:
                name, _, value = line.partition(":")
                found[name] = value.split()
    return found


def test_pages_of_a_key_are_locked_and_left_out_of_dumps():
    key = KeyHandle(bytes(range(16)))
    locked = hold(key)
    flags = flags_of(id(key))["VmFlags"]
    assert "dd" in flags
    assert ("lo" in flags) == locked
    assert locked or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] < mmap.PAGESIZE
    assert hold(bytearray(100))
    assert hold(bytearray())


OPENED = """
import ctypes, os, resource, sys
from pathlib import Path
from ehc.store.keyring_folder import KeyringFolder
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
KeyringFolder(Path(sys.argv[1])).open().wipe()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
os.abort()
"""


def test_a_process_that_opened_a_keyring_leaves_no_core_dump(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    folder.create(Keyring())
    done = subprocess.run(
        [sys.executable, "-c", OPENED, str(folder.path)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout == "(0, 0) 0\n"
    assert done.returncode == -signal.SIGABRT
    assert [path.name for path in tmp_path.iterdir()] == ["keyring"]


DESTROYED = """
import ctypes, sys
from pathlib import Path
from ehc.keys.keyring import KeyState, Operation
from ehc.store.keyring_folder import KeyringFolder
marker = bytearray(reversed(b"rekram a si siht"))
with KeyringFolder(Path(sys.argv[1])).change() as ring:
    used = [entry.handle().check_value for entry in ring.entries]
    for entry in ring.entries:
        if entry.state is KeyState.ACTIVE:
            ring.step(entry.purpose, entry.version, Operation.DEACTIVATE, 0)
        ring.step(entry.purpose, entry.version, Operation.DESTROY, 0)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # let the test look
print(len(used), flush=True)
sys.stdin.read()
"""


def test_none_of_1000_keys_is_in_memory_after_their_destruction(tmp_path):
    keys = [os.urandom(16) for _ in range(1000)]
    folder = KeyringFolder(tmp_path / "keyring")
    with Keyring() as ring:
        for n, key in enumerate(keys):
            ring.add(PURPOSES[n // 250], bytearray(key), NOW)
        folder.create(ring)
    command = [sys.executable, "-c", DESTROYED, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "1000\n"
        try:
            memory = memory_of(process.pid)
        finally:
            process.stdin.close()
    assert b"this is a marker" in memory
    assert found_in(memory + keys[7], keys) == [keys[7]]  # the search finds what is there
    assert found_in(memory, keys) == []
    assert found_in(memory, [key.hex().encode() for key in keys]) == []
    assert found_in(memory, [key.hex().upper().encode() for key in keys]) == []
    with folder.open() as ring:
        assert {e.state for e in ring.entries} == {"destroyed"}
