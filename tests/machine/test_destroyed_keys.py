"""A machine that goes on serving has nothing of a destroyed key: neither its bytes nor what SM4 makes of them."""

import os
import subprocess
import sys

from keyrings import NOW
from process_memory import found_in, memory_of
from reference import sm4

from ehc.keys.keyring import Keyring, KeyState, Operation, Purpose
from ehc.store.keyring_folder import KeyringFolder

PURPOSES = (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY, Purpose.WRAPPING_KEY, Purpose.MAC_KEY)

SERVING = """
import ctypes, logging, sys
from pathlib import Path
from ehc import wiring
from ehc.config import Settings
settings = Settings(home=sys.argv[1])
host, end = wiring.open_host(wiring.keyring_folder(settings), None, 1, ())  # `ehc machine serve`
services = wiring.open_services(settings)  # a worker of `ehc serve`
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # let the test look
logging.basicConfig(level=logging.INFO, stream=sys.stdout, force=True)
print("serving", flush=True)
sys.stdin.read()
services.close()
end()
"""


def opening_round_keys(key: bytes) -> bytes:
    """The first four, as they lie in memory: they give the key away."""
    return b"".join(word.to_bytes(4, sys.byteorder) for word in sm4.round_keys(key)[:4])


def destroy_all(folder):
    with folder.change() as ring:
        for entry in ring.entries:
            if entry.state is KeyState.ACTIVE:
                ring.step(entry.purpose, entry.version, Operation.DEACTIVATE, NOW)
            ring.step(entry.purpose, entry.version, Operation.DESTROY, NOW)


def test_of_1000_keys_nothing_is_left_in_a_process_that_went_on_serving(tmp_path):
    keys = [os.urandom(16) for _ in range(1000)]
    folder = KeyringFolder(tmp_path / "keyring")
    with Keyring() as ring:
        for n, key in enumerate(keys):
            ring.add(PURPOSES[n // 250], bytearray(key), NOW)
        folder.create(ring)
    patterns = keys + [opening_round_keys(key) for key in keys]
    command = [sys.executable, "-P", "-c", SERVING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert "serving\n" in iter(process.stdout.readline, "")
            held = found_in(memory_of(process.pid), patterns)
            destroy_all(folder)
            for _ in ("host", "services"):
                assert any("keyring was changed" in line for line in iter(process.stdout.readline, ""))
            left = found_in(memory_of(process.pid), patterns)
        finally:
            process.stdin.close()
    assert held == sorted(opening_round_keys(key) for key in keys[:750])  # of a MAC key HMAC keeps two states of SM3
    assert left == []
