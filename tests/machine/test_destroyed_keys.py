"""A machine that goes on serving has nothing of a destroyed key: neither its bytes nor what uses it."""

import os
import subprocess
import sys

from keyrings import NOW
from process_memory import found_in, memory_of
from reference import sm3, sm4

from ehc.keys.keyring import Keyring, KeyState, Operation, Purpose
from ehc.store.keyring_folder import KeyringFolder

OF_SM4 = (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY, Purpose.WRAPPING_KEY)
PURPOSES = (*OF_SM4, Purpose.MAC_KEY, Purpose.SIGNING_KEY)

SERVING = """
import ctypes, logging, sys
from pathlib import Path
from ehc.wiring.keys import keyring_folder, open_host
from ehc.wiring.services import open_services
from ehc.config import Settings
settings = Settings(home=sys.argv[1])
host, end = open_host(keyring_folder(settings), None, 1, ())  # `ehc machine serve`
services = open_services(settings)  # a worker of `ehc serve`
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # let the test look
logging.basicConfig(level=logging.INFO, stream=sys.stdout, force=True)
print("serving", flush=True)
sys.stdin.read()
services.close()
end()
"""


def in_use(purpose: Purpose, key: bytes) -> bytes:
    """How a key lies in memory to be used: of SM4 the first four round keys, of HMAC the state behind the inner pad, of
    SM2 a number of OpenSSL's. Each gives the key, or what it is good for, away."""
    if purpose is Purpose.SIGNING_KEY:
        return key[::-1] if sys.byteorder == "little" else key
    if purpose in OF_SM4:
        words = sm4.round_keys(key)
    else:
        start = [sm3.IV >> 32 * (7 - i) & sm3.MASK for i in range(8)]
        words = sm3.compress(start, bytes(byte ^ 0x36 for byte in key.ljust(64, b"\0")))
    return b"".join(word.to_bytes(4, sys.byteorder) for word in words[:4])


def destroy_all(folder):
    with folder.change() as ring:
        for entry in ring.entries:
            if entry.state is KeyState.ACTIVE:
                ring.step(entry.purpose, entry.version, Operation.DEACTIVATE, NOW)
            ring.step(entry.purpose, entry.version, Operation.DESTROY, NOW)


def test_of_1000_keys_nothing_is_left_in_a_process_that_went_on_serving(tmp_path):
    keys = [(purpose, os.urandom(purpose.size)) for purpose in PURPOSES for _ in range(200)]
    folder = KeyringFolder(tmp_path / "keyring")
    with Keyring() as ring:
        for purpose, key in keys:
            ring.add(purpose, bytearray(key), NOW)
        folder.create(ring)
    used = [in_use(purpose, key) for purpose, key in keys]
    patterns = used + [key for _, key in keys]
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
    assert held == sorted(used)
    assert left == []
