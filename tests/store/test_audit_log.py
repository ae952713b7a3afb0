"""The audit log on disk: written before the act, no act without it, an older keyring is refused."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from keyrings import KEY, NEXT, NOW, PASSPHRASE, VERSION_1, VERSION_1_SECRET, created

from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.errors import InputError, KeyringError
from ehc.keys.audit import Actor, Role
from ehc.keys.audit_verifier import verify, verify_proof
from ehc.keys.keyring import Keyring, Operation, Purpose
from ehc.keys.sealing import read_header
from ehc.store.audit_log import AuditLog
from ehc.store.keyring_folder import KeyringFolder

WANG = Actor("wang", Role.MANAGER)


@pytest.fixture
def folder(tmp_path):
    return created(tmp_path / "keyring")


def check(public_key, signature, message):
    return PublicKey(public_key).verify(signature, message)


def records(folder):
    return [json.loads(line) for line in folder.audit.lines()]


def findings(folder):
    checkpoints = folder.audit.checkpoints
    points = checkpoints.read_bytes() if checkpoints.exists() else b""
    return verify(folder.audit.path.read_bytes(), points, check).findings


def add(folder, key=NEXT, **options):
    with folder.change(**options) as ring:
        ring.add(Purpose.PROTECTION_KEY, bytearray(key), NOW)


def copy(folder, path):
    return KeyringFolder(shutil.copytree(folder.path, path))


def test_every_change_stands_in_the_log_with_who_did_it_and_without_a_key(folder):
    add(folder, actor=WANG)
    with folder.change(actor=Actor("li", Role.SUPER_MANAGER)) as ring:
        ring.step(Purpose.PROTECTION_KEY, 1, Operation.SUSPEND, NOW, "a laptop is missing")
    assert [(r["act"], r["what"]["counter"]) for r in records(folder)] == [
        (act, counter) for counter in (1, 2, 3) for act in ("change", "changed")
    ]
    assert [r["who"] for r in records(folder)[2:]] == ["wang", "wang", "li", "li"]
    assert records(folder)[4]["what"]["deeds"] == [
        ["suspend", "protection_key", 1, records(folder)[2]["what"]["deeds"][0][3], "a laptop is missing", 0]
    ]
    text = folder.audit.path.read_bytes()
    for key in (KEY, NEXT):
        assert key not in text
        assert key.hex().encode() not in text.lower()
    assert findings(folder) == []


def test_a_signing_key_signs_a_checkpoint_after_every_change(folder):
    add(folder)
    assert not folder.audit.checkpoints.exists()
    raw, key = bytearray(32), PrivateKey.generate()
    key.write_raw(raw)
    with folder.change() as ring:
        ring.add(Purpose.SIGNING_KEY, raw, NOW)
    add(folder, KEY)
    report = verify(folder.audit.path.read_bytes(), folder.audit.checkpoints.read_bytes(), check, bytes(key.public_key))
    assert (report.findings, report.checkpoints, report.covered, report.records) == ([], 2, 8, 8)


def test_an_older_copy_of_the_keyring_is_refused(folder, tmp_path):
    old = folder.sealed.read_bytes()
    add(folder)
    folder.sealed.write_bytes(old)
    for use in (folder.open, lambda: add(folder, KEY)):
        with pytest.raises(KeyringError, match=r"older copy, writing 1; the audit log knows 2"):
            use()
    assert len(records(folder)) == 4


def test_another_document_of_the_same_number_is_refused(folder, tmp_path):
    fork = copy(folder, tmp_path / "fork")
    add(folder)
    add(fork, KEY)
    folder.sealed.write_bytes(fork.sealed.read_bytes())
    with pytest.raises(KeyringError, match="not the document that the audit log knows as writing 2"):
        folder.open()


def test_killed_again_and_again_before_the_document_it_still_opens(folder):
    """Two begun and not finished in a row: found by keyring_kills.py."""
    for n in range(3):
        folder.audit.append("change", {"counter": 2 + n, "document": "0" * 64, "deeds": []}, WANG)
        folder.open().wipe()
    add(folder)
    assert folder.generation() == 5
    assert findings(folder) == []


def test_an_older_log_under_a_newer_keyring_is_refused(folder):
    old = folder.audit.path.read_bytes()
    add(folder)
    folder.audit.path.write_bytes(old)
    with pytest.raises(KeyringError, match="ends at writing 1, it is writing 2: the log is older"):
        folder.open()
    folder.audit.path.unlink()
    with pytest.raises(KeyringError, match=r"audit log .*audit\.log is missing"):
        folder.open()


def test_both_rolled_back_together_are_seen_through_a_checkpoint_kept_elsewhere(folder, tmp_path):
    """The limit: the folder alone cannot tell; README.md says so."""
    raw, key = bytearray(32), PrivateKey.generate()
    key.write_raw(raw)
    with folder.change() as ring:
        ring.add(Purpose.SIGNING_KEY, raw, NOW)
    old = copy(folder, tmp_path / "old")
    add(folder)
    kept = folder.audit.checkpoints.read_bytes()
    old.open().wipe()
    report = verify(old.audit.path.read_bytes(), kept, check, bytes(key.public_key))
    assert [one.what for one in report.findings] == ["cut off: checkpoint 2 counts 6 records, 4 are there"]


def test_a_keyring_of_version_1_has_no_log_until_its_first_change(tmp_path):
    folder = KeyringFolder(tmp_path)
    tmp_path.chmod(0o700)
    folder.sealed.write_bytes(VERSION_1)
    folder.key_file.write_bytes(VERSION_1_SECRET)
    folder.key_file.chmod(0o600)
    folder.open().wipe()
    assert (folder.generation(), folder.audit.path.exists()) == (0, False)
    add(folder)
    assert (folder.generation(), read_header(folder.sealed.read_bytes()).version) == (1, 2)
    folder.sealed.write_bytes(VERSION_1)
    with pytest.raises(KeyringError, match="older copy"):
        folder.open()


def child(act):
    """What `act` raises in a process of its own, which may drop what it was allowed to."""
    read, write = os.pipe()
    if not os.fork():
        try:
            act()
            os.write(write, b"done")
        except KeyringError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.wait()
    with os.fdopen(read, "rb") as said:
        return said.read().decode()


def test_a_log_that_cannot_be_written_stops_the_act(folder):
    """Read-only for a user who may write the keyring itself."""
    before = folder.sealed.read_bytes()
    folder.audit.path.chmod(0o400)
    if os.getuid() == 0:  # root writes what it likes: be somebody else
        for path in (folder.path, *folder.path.iterdir()):
            os.chown(path, 65534, 65534)

    def act():
        os.chdir(folder.path)
        if os.getuid() == 0:
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        add(KeyringFolder(folder.path.relative_to(folder.path)))

    assert child(act) == "audit log audit.log: Permission denied; nothing was done"
    assert folder.sealed.read_bytes() == before


def test_a_full_disk_stops_the_act_and_leaves_no_half_record(folder):
    import resource

    before, log = folder.sealed.read_bytes(), folder.audit.path.read_bytes()

    def act():
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(log) + 50,) * 2)
        add(folder)

    assert "File too large; nothing was done" in child(act)
    assert (folder.sealed.read_bytes(), folder.audit.path.read_bytes()) == (before, log)


@pytest.mark.parametrize("torn", [b"{", b'{"seq":2,"at":1767225600,"who":"wang"', b"\x00\x00\x00"])
def test_an_unfinished_record_is_cut_off_by_the_next_writer_and_told(folder, torn):
    with folder.audit.path.open("ab") as log:
        log.write(torn)
    folder.open().wipe()
    add(folder)
    assert [r["act"] for r in records(folder)] == ["change", "changed", "recover", "change", "changed"]
    assert records(folder)[2]["what"] == {"unfinished": len(torn)}
    assert findings(folder) == []


def test_a_log_that_was_changed_is_not_gone_on_with(folder):
    folder.audit.path.write_bytes(folder.audit.path.read_bytes().replace(b'"act":"changed"', b'"act":"chanxed"'))
    for use in (folder.open, lambda: add(folder)):
        with pytest.raises(KeyringError, match="ehc audit verify"):
            use()


def test_a_log_is_never_written_through_a_link(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("")
    log = AuditLog(tmp_path)
    log.path.symlink_to(victim)
    with pytest.raises(KeyringError, match=r"audit\.log"):
        log.append("x", {}, WANG)
    assert victim.read_text() == ""


APPEND = """
import sys
from pathlib import Path
from ehc.keys.audit import Actor
from ehc.store.audit_log import AuditLog
for n in range(40):
    AuditLog(Path(sys.argv[1])).append("x", {"n": n}, Actor(sys.argv[2]))
"""


def test_several_processes_write_one_chain(tmp_path):
    command = [sys.executable, "-c", APPEND, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(n)]) for n in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    report = verify((tmp_path / "audit.log").read_bytes(), b"", check)
    assert (report.records, report.findings) == (120, [])


def test_a_record_is_proved_to_stand_under_the_last_checkpoint(tmp_path):
    log, key = AuditLog(tmp_path), PrivateKey.generate()
    for n in range(5):
        log.append("x", {"n": n}, WANG, NOW)
    with pytest.raises(InputError, match="under no checkpoint; what is: none"):
        log.prove(2)
    log.checkpoint(bytes(key.public_key), key.sign)
    log.append("x", {"n": 5}, WANG, NOW)
    import msgspec

    assert verify_proof(msgspec.json.encode(log.prove(2)), check, bytes(key.public_key)) == []
    with pytest.raises(InputError, match="what is: records 0 to 4"):
        log.prove(5)


def test_a_passphrase_is_not_in_the_log(tmp_path):
    folder = KeyringFolder(tmp_path / "keyring")
    folder.create(Keyring(), PASSPHRASE)
    assert PASSPHRASE not in folder.audit.path.read_text()
