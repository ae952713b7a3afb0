"""The keyring on disk: private, whole at every moment, one writer at a time. Real files and real processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from keyrings import KEY, NEXT, NOW, PASSPHRASE, created, keyring

from ehc.errors import Conflict, InputError, KeyringError
from ehc.keys.keyring import Purpose
from ehc.keys.sealing import Argon2id, read_header
from ehc.store.keyring_folder import KeyringFolder


@pytest.fixture
def folder(tmp_path):
    return created(tmp_path / "deep" / "keyring")


def mode(path):
    return path.stat().st_mode & 0o7777


def keys_in(folder, passphrase=None):
    with folder.open(passphrase) as ring:
        return [bytes(e.raw) for e in ring.entries]


def run(script, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )


def test_a_keyring_is_stored_under_a_key_file_that_is_the_owners_alone(folder):
    assert keys_in(folder) == [KEY]
    assert mode(folder.path) == 0o700
    assert {path.name: mode(path) for path in folder.path.iterdir()} == {
        "keyring.sealed": 0o600,
        "keyring.key": 0o600,
        "keyring.lock": 0o600,
        "audit.log": 0o600,
    }
    assert len(folder.key_file.read_bytes()) == 32


def test_modes_do_not_depend_on_the_umask(tmp_path):
    before = os.umask(0)
    try:
        folder = KeyringFolder(tmp_path / "keyring")
        folder.create(keyring())
    finally:
        os.umask(before)
    assert [mode(folder.path)] + [mode(p) for p in sorted(folder.path.iterdir())] == [0o700, *[0o600] * 4]


def test_a_passphrase_leaves_no_key_file_and_is_asked_once_when_needed(tmp_path):
    folder, asked = KeyringFolder(tmp_path / "keyring"), []

    def passphrase():
        asked.append(1)
        return PASSPHRASE

    folder.create(keyring(), PASSPHRASE)
    assert not folder.key_file.exists()
    assert isinstance(read_header(folder.sealed.read_bytes()).key, Argon2id)
    assert keys_in(folder, passphrase) == [KEY]
    with folder.change(passphrase) as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(NEXT), NOW)
    assert keys_in(folder, passphrase) == [KEY, NEXT]
    assert len(asked) == 3
    with pytest.raises(KeyringError, match=r"keyring\.sealed: .*does not open"):
        folder.open(lambda: PASSPHRASE + "!")
    with pytest.raises(KeyringError, match="nobody to ask"):
        folder.open()


def test_a_key_file_means_that_nobody_is_asked(folder):
    def never():
        raise AssertionError

    assert keys_in(folder, never) == [KEY]


def test_a_short_passphrase_makes_nothing(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    with pytest.raises(InputError, match="at least 12"):
        folder.create(keyring(), "short")
    assert not folder.sealed.exists()
    folder.create(keyring(), PASSPHRASE)


def test_an_existing_keyring_is_never_replaced(folder):
    before = folder.sealed.read_bytes(), folder.key_file.read_bytes()
    with pytest.raises(Conflict, match=r"ehc keys list.*ehc keys import.*--keyring"):
        folder.create(keyring(NEXT))
    with pytest.raises(Conflict):
        folder.create(keyring(NEXT), PASSPHRASE)
    assert before == (folder.sealed.read_bytes(), folder.key_file.read_bytes())


def test_a_key_file_without_its_keyring_is_kept_for_the_day_it_comes_back(folder, tmp_path):
    names = ("keyring.sealed", "audit.log")
    for name in names:
        (folder.path / name).rename(tmp_path / name)
    folder.create(keyring(NEXT))
    assert keys_in(folder) == [NEXT]
    for name in names:
        (tmp_path / name).rename(folder.path / name)
    assert keys_in(folder) == [KEY]


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_key_file_that_others_may_use_is_refused(folder, bits):
    folder.key_file.chmod(bits)
    with pytest.raises(KeyringError, match=f"chmod 600 {folder.key_file}"):
        folder.open()
    folder.key_file.chmod(0o400)
    assert keys_in(folder) == [KEY]


@pytest.mark.parametrize("bits", [0o720, 0o702])
def test_a_folder_that_others_may_write_is_refused(folder, bits):
    folder.path.chmod(bits)
    with pytest.raises(KeyringError, match=f"chmod 700 {folder.path}"):
        folder.open()
    with pytest.raises(KeyringError, match="chmod 700"), folder.change():
        pass


def test_a_keyring_is_not_made_in_a_folder_open_to_others(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    with pytest.raises(KeyringError, match=f"mode 0755.*chmod 700 {shared}"):
        KeyringFolder(shared).create(keyring())
    assert list(shared.iterdir()) == []
    shared.chmod(0o700)
    KeyringFolder(shared).create(keyring())


def test_what_is_missing_is_named_with_the_way_out(folder, tmp_path):
    for absent in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(KeyringError, match=f"no keyring in {absent}: .*ehc keys init.*EHC_KEYRING"):
            KeyringFolder(absent).open()
    folder.key_file.unlink()
    with pytest.raises(KeyringError, match=r"keyring\.key is missing: restore"):
        folder.open(lambda: PASSPHRASE)


def test_a_path_that_is_no_folder_is_named(folder):
    with pytest.raises(KeyringError, match=r"keyring\.sealed: File exists"):
        KeyringFolder(folder.sealed).create(keyring())


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_key_file_of_another_size_is_refused(folder, content):
    folder.key_file.write_bytes(content)
    with pytest.raises(KeyringError, match=f"{len(content)} bytes instead of 32"):
        folder.open()


def test_another_key_file_does_not_open_the_keyring(folder):
    folder.key_file.write_bytes(b"x" * 32)
    with pytest.raises(KeyringError, match="does not open"):
        folder.open()


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"\xff" * 100, b'{"format":"ehc-keyring"}\n' + b"x" * 40])
def test_what_is_no_keyring_is_refused_by_name(folder, content):
    folder.sealed.write_bytes(content)
    with pytest.raises(KeyringError, match=r"keyring\.sealed: this is not a sealed keyring"):
        folder.open()


def test_a_change_takes_a_new_salt_and_nonce_and_keeps_the_parameters(folder):
    before = read_header(folder.sealed.read_bytes())
    with folder.change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(NEXT), NOW)
    after = read_header(folder.sealed.read_bytes())
    assert before.nonce != after.nonce
    assert before.key.salt != after.key.salt
    assert keys_in(folder) == [KEY, NEXT]


def test_a_change_that_fails_stores_nothing_and_wipes_the_keys(folder):
    before = folder.sealed.read_bytes()
    with pytest.raises(Conflict, match="already"), folder.change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(KEY), NOW)
    assert folder.sealed.read_bytes() == before
    assert [e.raw for e in ring.entries] == [b""]


def test_a_second_writer_is_turned_away_and_a_reader_is_not(folder):
    with folder.change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(NEXT), NOW)
        with pytest.raises(Conflict, match="another process is writing"), KeyringFolder(folder.path).change():
            pass
        assert keys_in(KeyringFolder(folder.path)) == [KEY]
    assert keys_in(folder) == [KEY, NEXT]


def test_a_leftover_of_a_crash_gives_its_mode_to_nothing(folder):
    leftover = folder.path / "keyring.sealed.new"
    leftover.write_bytes(b"half a keyr")
    leftover.chmod(0o644)
    with folder.change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(NEXT), NOW)
    assert mode(folder.sealed) == 0o600
    assert not leftover.exists()
    assert keys_in(folder) == [KEY, NEXT]


def test_a_leftover_of_a_crash_is_no_way_out_of_the_folder(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (folder.path / "keyring.sealed.new").symlink_to(victim)
    with pytest.raises(KeyringError, match=r"keyring\.sealed\.new"), folder.change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(NEXT), NOW)
    assert victim.read_text() == "untouched"
    assert keys_in(folder) == [KEY]


FULL_DISK = """
import resource, sys
from pathlib import Path
from ehc.errors import KeyringError
from ehc.keys.keyring import Purpose
from ehc.store.keyring_folder import KeyringFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with KeyringFolder(Path(sys.argv[1])).change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(16), 0)
except KeyringError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_keyring(folder):
    before = folder.sealed.read_bytes()
    log = folder.audit.path.read_bytes()
    done = run(FULL_DISK, folder.path, len(log) + 100)
    assert done.stdout.strip() == f"audit log {folder.audit.path}: File too large; nothing was done"
    assert folder.sealed.read_bytes() == before
    assert folder.audit.path.read_bytes() == log


RACE = """
import os, sys
from pathlib import Path
from ehc.errors import Conflict
from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder
ring = Keyring()
ring.add(Purpose.SECURITY_KEY, bytearray([int(sys.argv[2])] * 16), 0)
print("ready", flush=True)
sys.stdin.read()
try:
    KeyringFolder(Path(sys.argv[1])).create(ring)
    print("won")
except Conflict:
    print("lost")
"""


def test_of_processes_that_make_one_keyring_at_once_exactly_one_wins(tmp_path):
    for turn in range(5):
        path = tmp_path / f"keyring{turn}"
        command = [sys.executable, "-c", RACE, str(path)]
        racers = [
            subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for n in range(4)
        ]
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 4
        for racer in racers:
            racer.stdin.close()
        outcomes = []
        for racer in racers:
            with racer:
                outcomes.append(racer.stdout.read().strip())
        assert sorted(outcomes) == ["lost", "lost", "lost", "won"]
        assert keys_in(KeyringFolder(path)) == [bytes([outcomes.index("won")] * 16)]


KILLED = """
import os, signal, sys
from pathlib import Path
from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder

def kill_at(point):
    # every effect on disk is a call into C: dying before each of them dies everywhere
    def hook(frame, event, argument):
        nonlocal point
        if event == "c_call":
            point -= 1
            if not point:
                os.kill(os.getpid(), signal.SIGKILL)
    return hook

def add(folder):
    with folder.change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(range(16)), 0)

def create(folder):
    with Keyring() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(range(16)), 0)
        folder.create(ring)

act = {"add": add, "create": create}[sys.argv[1]]
for line in sys.stdin:
    point, path = line.split()
    child = os.fork()
    if not child:
        sys.setprofile(kill_at(int(point)))
        act(KeyringFolder(Path(path)))
        sys.setprofile(None)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)
"""


def killed_at_every_point(act, prepare):
    """Yields the folder after a kill -9 at the 1st, 10th … call into C of `act`, until one run gets through."""
    command = [sys.executable, "-c", KILLED, act]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        for point in range(1, 10_000, 9):
            folder = prepare(point)
            driver.stdin.write(f"{point} {folder.path}\n")
            driver.stdin.flush()
            status = int(driver.stdout.readline())
            yield folder
            if status == 0:
                break
            assert status == 9
        driver.stdin.close()


def test_kill_9_at_any_moment_of_a_change_leaves_the_old_or_the_new_keyring(folder, tmp_path):
    def prepare(point):
        return KeyringFolder(Path(shutil.copytree(folder.path, tmp_path / f"at{point}")))

    found = []
    for killed in killed_at_every_point("add", prepare):
        found.append(len(keys_in(killed)))
        assert keys_in(killed) in ([KEY], [KEY, NEXT])
        with killed.change() as ring:  # the lock went with the process, and leftovers are in nobody's way
            ring.add(Purpose.PROTECTION_KEY, bytearray(KEY), NOW)
        assert len(keys_in(killed)) == found[-1] + 1
    assert found == sorted(found)
    assert set(found) == {1, 2}
    assert len(found) > 20


def test_kill_9_at_any_moment_of_making_leaves_no_keyring_or_a_whole_one(tmp_path):
    found = []
    for killed in killed_at_every_point("create", lambda point: KeyringFolder(tmp_path / f"at{point}")):
        found.append(killed.sealed.exists())
        if not found[-1]:
            killed.create(keyring(NEXT))
        assert keys_in(killed) == [NEXT]
    assert found == sorted(found)
    assert set(found) == {False, True}


def test_the_generation_is_another_after_every_change_and_the_same_after_none(folder):
    seen = [folder.generation()]
    for n in range(3):
        with folder.change() as ring:
            ring.add(Purpose.PROTECTION_KEY, bytearray([n] * 16), NOW)
        seen.append(folder.generation())
        folder.open().wipe()
        assert folder.generation() == seen[-1]
    assert seen == [1, 2, 3, 4]
    folder.sealed.write_bytes(b"half")
    with pytest.raises(KeyringError, match="not a sealed keyring"):
        folder.generation()
