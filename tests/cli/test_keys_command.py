"""`ehc keys` as an operator runs it: real processes, real files, a real terminal where it asks."""

import json
import os
import pty
import subprocess
import sys

import pytest

from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder

EHC = [sys.executable, "-m", "ehc.cli", "keys"]
ROOT, PROTECTION = "0123456789ABCDEFFEDCBA9876543210", "11223344556677888877665544332211"
OWN = "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
CHECK_BLOCK = "2677F46B09C122CC975533105BD4A22A"  # SM4 of the zero block under ROOT
PASSPHRASE = "a long passphrase of tests"


class Operator:
    """One person at one machine, with a home of their own and no other settings."""

    def __init__(self, home):
        self.home, self.keyring = home, home / "keyring"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "EHC_KEYRING": str(self.keyring)}
        self.seen = ""  # everything that was ever printed

    def ehc(self, *arguments, stdin=""):
        done = subprocess.run(
            [*EHC, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            start_new_session=True,  # no terminal to fall back on
        )
        self.seen += done.stdout + done.stderr
        return done

    def ehc_on_terminal(self, *arguments, answers):
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*EHC, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.environment,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            shown = self._answer(ours, answers)
        os.close(ours)
        self.seen += shown
        return process.returncode, shown

    def _answer(self, terminal, answers):
        shown, left = "", list(answers)
        while True:
            try:
                shown += os.read(terminal, 4096).decode()
            except OSError:  # the other end is closed
                return shown
            if left and shown.endswith(": "):  # asked, and echo is off by now
                os.write(terminal, left.pop(0).encode() + b"\n")

    def make_keyring(self, *keys, passphrase=None):
        """What `ehc keys init` leaves, without the start of a process."""
        with Keyring() as ring:
            for key in keys:
                ring.add(Purpose.SECURITY_KEY, bytearray.fromhex(key), 0)
            KeyringFolder(self.keyring).create(ring, passphrase)

    def versions(self, passphrase=None):
        with KeyringFolder(self.keyring).open(passphrase) as ring:
            return [(e.purpose, e.version, e.state, e.check_value) for e in ring.entries]


@pytest.fixture
def operator(tmp_path):
    return Operator(tmp_path)


def test_init_without_a_terminal_makes_both_keys_and_says_where(operator):
    done = operator.ehc("init")
    assert (done.returncode, done.stderr) == (0, "")
    purposes = ["security_key", "protection_key", "signing_key"]
    assert [row[:3] for row in operator.versions()] == [(purpose, 1, "active") for purpose in purposes]
    check_values = [row[3] for row in operator.versions()]
    assert check_values[0] != check_values[1]
    assert done.stdout.splitlines()[:4] == [
        *(f"{row[0]} version 1, check value {row[3]}" for row in operator.versions()),
        f"sealed in {operator.keyring}/keyring.sealed",
    ]
    assert f"{operator.keyring}/keyring.key (mode 0600)" in done.stdout
    assert (operator.keyring / "keyring.key").stat().st_mode & 0o777 == 0o600


def test_init_never_replaces_a_keyring(operator):
    operator.make_keyring(OWN)
    before = (operator.keyring / "keyring.sealed").read_bytes()
    again = operator.ehc("init")
    assert again.returncode == 7
    assert again.stderr.startswith("ehc: ")
    assert "has a keyring already" in again.stderr
    assert (operator.keyring / "keyring.sealed").read_bytes() == before


def test_two_inits_at_once_make_one_keyring(operator):
    both = [
        subprocess.Popen([*EHC, "init"], env=operator.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    said = [process.communicate()[0].decode() for process in both]
    assert sorted(process.returncode for process in both) == [0, 7]
    winner = said[[process.returncode for process in both].index(0)]
    assert all(check_value in winner for *_, check_value in operator.versions())


def test_keyring_names_the_folder_before_the_environment(operator, tmp_path):
    assert operator.ehc("init", "--empty", "--keyring", tmp_path / "other").returncode == 0
    assert not operator.keyring.exists()
    assert (tmp_path / "other" / "keyring.sealed").exists()


def test_a_provinces_keys_are_imported_into_an_empty_keyring(operator, tmp_path):
    assert "check value" not in operator.ehc("init", "--empty").stdout
    (tmp_path / "own.hex").write_text(f"{OWN}\n")
    done = operator.ehc("import", "--purpose", "security_key", "--key-file", tmp_path / "own.hex")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("security_key version 1 is active, check value ")
    done = operator.ehc("import", "--purpose", "protection_key", stdin=PROTECTION.lower())
    assert done.returncode == 0
    assert "warning: this is a sample key" in done.stderr
    assert [row[:3] for row in operator.versions()] == [("security_key", 1, "active"), ("protection_key", 1, "active")]
    for key in (OWN, PROTECTION):
        assert key.lower() not in operator.seen.lower()


def test_an_imported_key_becomes_the_active_version(operator):
    operator.make_keyring(OWN)
    done = operator.ehc("import", "--purpose", "security_key", "--key-file", "-", stdin=ROOT)
    assert done.stdout.splitlines()[:2] == [
        "security_key version 2 is active, check value 2677F4",
        "security_key version 1 is deactivated",
    ]
    assert [row[1:3] for row in operator.versions()] == [(1, "deactivated"), (2, "active")]
    assert '["import","security_key",2,"2677F4","active",259]' in (operator.keyring / "audit.log").read_text()
    again = operator.ehc("import", "--purpose", "security_key", stdin=ROOT)
    assert again.returncode == 7
    assert "already: version 2, active" in again.stderr


def test_list_shows_what_there_is_as_table_and_json(operator):
    operator.make_keyring(OWN, ROOT)
    table = operator.ehc("list").stdout
    assert [line.split("│")[1:6] for line in table.splitlines() if "2677F4" in line] == [
        [" security_key ", " 2       ", " active      ", " 2677F4      ", " 1970-01-01 08:00:00 "]
    ]
    rows = json.loads(operator.ehc("list", "--json").stdout)
    assert rows[1] == {
        "purpose": "security_key",
        "version": 2,
        "state": "active",
        "check_value": "2677F4",
        "digest_value": "13BCEC3A",
        "created_at": "1970-01-01T08:00:00+08:00",
    }
    assert (len(rows), rows[0]["state"]) == (2, "deactivated")
    assert ROOT not in operator.seen


def test_a_check_value_lets_its_key_in_and_no_other(operator):
    operator.make_keyring()
    for wrong in ("2677F5", "26", CHECK_BLOCK + "00"):
        done = operator.ehc("import", "--purpose", "security_key", "--check-value", wrong, stdin=ROOT)
        assert done.returncode == 3
        assert "nothing was stored" in done.stderr
    assert operator.versions() == []
    for purpose, right in (("security_key", "2677f4"), ("protection_key", CHECK_BLOCK)):
        assert operator.ehc("import", "--purpose", purpose, "--check-value", right, stdin=ROOT).returncode == 0
    assert [row[1] for row in operator.versions()] == [1, 1]


def test_text_that_is_no_key_is_refused_without_being_repeated(operator):
    operator.make_keyring()
    for text in ("", OWN[:-1] + "G", OWN * 200):
        done = operator.ehc("import", "--purpose", "security_key", stdin=text)
        assert done.returncode == 3
        assert "a key is 32 hex digits" in done.stderr
    assert OWN[:8] not in operator.seen
    assert operator.versions() == []


def test_import_without_a_keyring_makes_none_and_names_the_way(operator):
    done = operator.ehc("import", "--purpose", "security_key", stdin=OWN)
    assert done.returncode == 5
    assert "ehc keys init" in done.stderr
    assert "--empty" in done.stderr
    assert not operator.keyring.exists()


def test_a_missing_key_file_is_named(operator, tmp_path):
    operator.make_keyring()
    done = operator.ehc("import", "--purpose", "security_key", "--key-file", tmp_path / "absent.hex")
    assert done.returncode == 3
    assert "absent.hex: No such file" in done.stderr


def test_a_key_file_open_to_others_is_refused_with_the_remedy(operator):
    operator.make_keyring()
    (operator.keyring / "keyring.key").chmod(0o644)
    done = operator.ehc("list")
    assert done.returncode == 5
    assert f"chmod 600 {operator.keyring / 'keyring.key'}" in done.stderr


def test_a_passphrase_comes_from_a_file_or_stdin(operator, tmp_path):
    secret = tmp_path / "passphrase"
    secret.write_text(f"{PASSPHRASE}\r\nsecond line\n")
    assert operator.ehc("init", "--passphrase-file", "-", stdin=PASSPHRASE).returncode == 0
    assert not (operator.keyring / "keyring.key").exists()
    done = operator.ehc("import", "--purpose", "security_key", "--passphrase-file", secret, stdin=OWN)
    assert done.returncode == 0
    assert [row[1] for row in operator.versions(lambda: PASSPHRASE)] == [1, 1, 1, 2]
    assert PASSPHRASE not in operator.seen


def test_a_wrong_passphrase_and_no_terminal_each_say_what_to_do(operator):
    operator.make_keyring(passphrase=PASSPHRASE)
    wrong = operator.ehc("list", "--passphrase-file", "-", stdin="another long passphrase")
    assert wrong.returncode == 5
    assert "does not open" in wrong.stderr
    assert "another long" not in wrong.stderr
    unasked = operator.ehc("list")
    assert unasked.returncode == 5
    assert "--passphrase-file FILE" in unasked.stderr


def test_one_stdin_cannot_give_both_the_key_and_the_passphrase(operator):
    operator.make_keyring(passphrase=PASSPHRASE)
    done = operator.ehc("import", "--purpose", "security_key", "--passphrase-file", "-", stdin=PASSPHRASE)
    assert done.returncode == 2
    assert "stdin" in done.stderr


def test_on_a_terminal_passphrase_and_key_are_asked_and_not_shown(operator):
    code, shown = operator.ehc_on_terminal("init", "--passphrase", answers=[PASSPHRASE, PASSPHRASE])
    assert code == 0, shown
    code, shown = operator.ehc_on_terminal("import", "--purpose", "security_key", answers=[OWN, PASSPHRASE])
    assert code == 0, shown
    code, shown = operator.ehc_on_terminal("list", answers=[PASSPHRASE])
    assert code == 0, shown
    assert [shown.count(word) for word in (" active", "deactivated", "protection_key")] == [3, 1, 1]
    assert OWN not in operator.seen
    assert PASSPHRASE not in operator.seen


def test_two_different_passphrases_make_nothing(operator):
    code, shown = operator.ehc_on_terminal("init", "--passphrase", answers=[PASSPHRASE, PASSPHRASE + "!"])
    assert code == 3
    assert "differ" in shown
    assert not operator.keyring.exists()


@pytest.mark.parametrize("command", ["init", "import", "list"])
def test_help_teaches_with_examples(operator, command):
    done = operator.ehc(command, "--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert f"ehc keys {command}" in done.stdout
