"""The machine that wiring opens over a keyring folder: real files, a real process, its real memory."""

import os
import re
import subprocess
import sys

import pytest
from keyrings import KEY, NEXT, NOW, PASSPHRASE, created, keyring

from ehc.config import Settings
from ehc.crypto import Batch, Window
from ehc.errors import KeyringError, KeyUnavailable
from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder
from ehc.wiring.keys import open_machine


@pytest.fixture
def folder(tmp_path):
    return created(tmp_path / "keyring")


MACHINE = """
import ctypes
import sys
from ehc.config import Settings
from ehc.wiring.keys import open_machine
MARKER = bytearray(reversed(b"rekram a si siht"))
machine = open_machine(Settings(keyring=sys.argv[1]), lambda: sys.argv[2])
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # let the test look: who holds keys is not dumpable
print(machine, flush=True)
sys.stdin.read()
"""


def memory_of(process):
    with open(f"/proc/{process.pid}/mem", "rb") as memory, open(f"/proc/{process.pid}/maps") as maps:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                memory.seek(start)
                yield memory.read(end - start)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["key file", "passphrase"])
def test_a_process_with_an_open_machine_holds_no_raw_key(tmp_path, passphrase):
    folder, keys = KeyringFolder(tmp_path / "keyring"), [os.urandom(16) for _ in range(3)]
    ring = keyring(*keys[:2])
    ring.add(Purpose.PROTECTION_KEY, bytearray(keys[2]), NOW)
    folder.create(ring, passphrase)
    command = [sys.executable, "-c", MACHINE, str(folder.path), str(passphrase)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        shown = process.stdout.readline()
        try:
            memory = list(memory_of(process))
        finally:
            process.stdin.close()
    assert re.search(r"security_key v2 .*protection_key v1 ", shown)
    assert any(b"this is a marker" in region for region in memory)
    for key in keys:
        assert not any(key in region or key.hex().encode() in region.lower() for region in memory)
        assert key.hex() not in shown.lower()


def test_the_machine_of_the_settings_has_the_active_keys_and_checks_with_the_older(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    ring = keyring(KEY, NEXT)
    ring.add(Purpose.PROTECTION_KEY, bytearray(KEY), NOW)
    folder.create(ring)
    settings = Settings(keyring=str(folder.path))
    token = open_machine(settings).seal_validity(NOW)
    with folder.change() as ring:
        ring.add(Purpose.PROTECTION_KEY, bytearray(NEXT), NOW)
    machine = open_machine(settings)
    assert machine.security_key_version == 2
    assert machine.seal_validity(NOW) != token
    assert machine.check_token(b"0" * 64 + b":0:" + token.encode(), NOW, Window()).accepted


def test_the_machine_of_an_empty_keyring_opens_and_says_what_is_missing(tmp_path):
    KeyringFolder(tmp_path / "keyring").create(Keyring())
    machine = open_machine(Settings(home=str(tmp_path)))
    with pytest.raises(KeyUnavailable, match="ehc keys import --purpose security_key"):
        machine.derive_batch(Batch.pack([]))


def test_without_a_keyring_there_is_no_machine(tmp_path):
    with pytest.raises(KeyringError, match="ehc keys init"):
        open_machine(Settings(home=str(tmp_path)))
