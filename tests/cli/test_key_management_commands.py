"""Keys managed as an operator and custodians do: real processes, real files, a real terminal for the ceremony."""

import json
import os
import pty
import subprocess
import sys
import tempfile
import time

import pytest
from keyrings import NOW

from ehc.cli import key_commands, main
from ehc.keys.audit import Role
from ehc.keys.credential import open_credential
from ehc.keys.destruction import approve, request
from ehc.keys.keyring import Keyring, Operation, Purpose
from ehc.store.keyring_folder import KeyringFolder

EHC = [sys.executable, "-m", "ehc.cli"]
assert key_commands.app  # loaded here, once
WORD = "a long passphrase of tests"
PARTS = {name: os.urandom(16).hex() for name in ("wang", "li")}


class Desk:
    def __init__(self, home):
        self.home, self.folder, self.seen = home, KeyringFolder(home / "keyring"), ""
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "EHC_KEYRING": str(home / "keyring")}
        self.word = home / "word"
        self.word.write_text(WORD)

    def ehc(self, *arguments, code=0, stdin=""):
        """In a child of this process, which has loaded the command already."""
        with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as shown:
            given.write(stdin)
            given.seek(0)
            child = os.fork()
            if not child:
                self._be_ehc([str(one) for one in arguments], given, shown)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            shown.seek(0)
            said = shown.read()
        self.seen += said
        assert status == code, said
        return said

    def _be_ehc(self, arguments, given, shown):
        try:
            os.setsid()  # no terminal to fall back on
            for fd, file in ((0, given), (1, shown), (2, shown)):
                os.dup2(file.fileno(), fd)
            sys.stdin, sys.stdout, sys.stderr = given, shown, shown
            os.chdir(self.home)
            os.environ.clear()
            os.environ.update(self.environment)
            sys.argv = ["ehc", *arguments]
            code = 0
            try:
                main.main()
            except SystemExit as end:
                code = int(end.code or 0)
            shown.flush()
            os._exit(code)
        finally:
            os._exit(99)

    def on_terminal(self, *arguments, answers):
        """Each prompt is answered by the first answer whose text it ends with. Returns what was shown."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*EHC, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.environment,
            cwd=self.home,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            shown, answered = "", 0
            while True:
                try:
                    shown += os.read(ours, 4096).decode(errors="replace")
                except OSError:
                    break
                if shown.endswith(": ") and len(shown) > answered:
                    answer = answers(shown)
                    if answer is None:
                        process.kill()
                        break
                    os.write(ours, answer.encode() + b"\n")
                    answered = len(shown)
        os.close(ours)
        self.seen += shown
        return shown


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    with Keyring() as ring:
        for n in range(2):
            ring.add(Purpose.PROTECTION_KEY, bytearray([n + 1] * 16), NOW)
        made.folder.create(ring)
    return made


def entry(desk, version, purpose=Purpose.PROTECTION_KEY):
    with desk.folder.open() as ring:
        return ring.entry(purpose, version)


def test_a_version_is_led_through_its_life_and_the_log_tells_it(desk):
    assert "signing_key version 1 is active" in desk.ehc("keys", "generate", "signing_key", "--active")
    assert "protection_key version 3 is pre_active" in desk.ehc("keys", "generate", "protection_key")
    desk.ehc("keys", "activate", "protection_key", 3)
    desk.ehc("keys", "minimum", "protection_key", "--making", 3)
    desk.ehc("keys", "compromise", "protection_key", 1, "--reason", "found in a mail")
    assert "is active: destroy is not possible" in desk.ehc(
        "keys", "archive", "protection_key", 3, "out", "--shares", "2/3", code=7
    ).replace("archive is", "destroy is")
    assert "no active protection_key has version 9" in desk.ehc(
        "keys", "minimum", "protection_key", "--making", 9, code=7
    )
    shown = desk.ehc("audit", "show", "--json")
    assert "found in a mail" in shown
    assert "checkpoints that fit" in desk.ehc("audit", "verify")
    desk.ehc("audit", "prove", 0)
    lines = desk.folder.audit.path.read_bytes().splitlines(keepends=True)
    desk.folder.audit.path.write_bytes(b"".join(lines[:3] + lines[4:]))
    said = desk.ehc("audit", "verify", code=5)
    assert "line 4: 1 of the records 3 to 3 are missing" in said
    assert "is not whole" in said


def test_a_backup_is_made_drilled_and_restored(desk, tmp_path):
    desk.ehc("keys", "backup", "out", "--shares", "2/3")
    shares = [tmp_path / "out" / f"share-{n}.json" for n in (1, 2, 3)]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in shares)
    desk.ehc("keys", "drill", "out/backup.sealed", shares[0], shares[2])
    assert "1 shares of 2" in desk.ehc("keys", "drill", "out/backup.sealed", shares[0], code=3)
    forged = json.loads(shares[1].read_text())
    value = bytearray.fromhex(forged["value"])
    value[0] ^= 1
    from ehc.crypto import sm3

    (tmp_path / "forged.json").write_text(json.dumps(forged | {"value": value.hex(), "check": sm3(value).hex()[:8]}))
    assert "forged: share 2" in desk.ehc("keys", "drill", "out/backup.sealed", shares[0], "forged.json", code=3)
    desk.ehc("keys", "restore", "out/backup.sealed", *shares[1:], "--keyring", "again")
    with KeyringFolder(tmp_path / "again").open() as ring, desk.folder.open() as present:
        assert [bytes(e.raw) for e in ring.entries] == [bytes(e.raw) for e in present.entries]
    assert "has a keyring already" in desk.ehc("keys", "restore", "out/backup.sealed", *shares[1:], code=7)
    desk.ehc("keys", "generate", "mac_key")
    assert "missing: mac_key version 1" in desk.ehc("keys", "drill", "out/backup.sealed", *shares, code=7)


def test_an_archived_version_leaves_the_keyring_and_comes_back(desk):
    desk.ehc("keys", "archive", "protection_key", 1, "out", "--shares", "2/2")
    assert (entry(desk, 1).state, entry(desk, 1).raw) == ("archived", b"")
    desk.ehc("keys", "recall", "protection_key", 1, "out/backup.sealed", "out/share-1.json", "out/share-2.json")
    assert entry(desk, 1).state == "deactivated"
    with desk.folder.open() as ring:
        assert bytes(ring.entry(Purpose.PROTECTION_KEY, 1).raw) == bytes([1] * 16)


def identities(desk, *names):
    for name in names:
        desk.ehc("keys", "identity", name, "--credential-passphrase", desk.word)
        desk.ehc("keys", "enrol", f"{name}.identity")


def as_(desk, name):
    return "--custodian", f"{name}.credential", "--custodian-passphrase", desk.word


def test_two_custodians_destroy_a_version_after_the_delay(desk):
    identities(desk, "wang", "li")
    desk.ehc("keys", "identity", "zhao", "--credential-passphrase", desk.word)
    assert "takes two custodians" in desk.ehc("keys", "enrol", "zhao.identity", code=9)
    assert "requested" in desk.ehc("keys", "destroy", "protection_key", 1, *as_(desk, "wang"))
    assert "takes two" in desk.ehc("keys", "destroy", "protection_key", 1, code=9)
    assert "has approved this already" in desk.ehc("keys", "destroy", "protection_key", 1, *as_(desk, "wang"), code=7)
    assert "168 hours" in desk.ehc("keys", "destroy", "protection_key", 1, *as_(desk, "li"))
    assert "not destroyed before" in desk.ehc("keys", "destroy", "protection_key", 1, code=7)
    assert "approved by wang and li" in desk.ehc("keys", "custodians")
    desk.ehc("keys", "cancel", "protection_key", 1, *as_(desk, "wang"))
    two = [open_credential((desk.home / f"{name}.credential").read_bytes(), WORD.encode()) for name in ("wang", "li")]
    long_ago = int(time.time()) - 3601
    with desk.folder.change() as ring:
        request(ring, Purpose.PROTECTION_KEY, 1, two[0], long_ago, delay=3600)
        approve(ring, Purpose.PROTECTION_KEY, 1, two[1], long_ago)
    assert "protection_key version 1 is destroyed" in desk.ehc("keys", "destroy", "protection_key", 1)
    assert entry(desk, 1).state == "destroyed"
    assert "by wang and li" in desk.ehc("audit", "show", "--json")


def test_an_older_copy_is_taken_back_by_two_custodians_alone(desk):
    identities(desk, "wang", "li")
    old = desk.folder.sealed.read_bytes()
    desk.ehc("keys", "generate", "mac_key")
    desk.folder.sealed.write_bytes(old)
    assert "older copy" in desk.ehc("keys", "list", code=5)
    assert "takes two custodians" in desk.ehc("keys", "reinstate", *as_(desk, "wang"), code=9)
    assert "older copy" in desk.ehc("keys", "list", code=5)
    desk.ehc("keys", "reinstate", *as_(desk, "wang"), *as_(desk, "li"))
    assert "mac_key" not in desk.ehc("keys", "list")
    assert '"reinstate"' in desk.ehc("audit", "show", "--json")
    desk.ehc("audit", "verify")


def test_a_key_is_composed_of_components_and_travels_in_an_envelope(desk, tmp_path):
    identities(desk, "wang", "li")
    desk.ehc("keys", "generate", "signing_key", "--active")
    first = desk.ehc("keys", "component", "security_key", "--of", 2, *as_(desk, "wang"), stdin=PARTS["wang"])
    assert "1 of 2 components are entered" in first
    last = desk.ehc("keys", "component", "security_key", "--of", 2, *as_(desk, "li"), stdin=PARTS["li"])
    assert "security_key version 1 is pre_active" in last
    desk.ehc("keys", "identity", "chengdu", "--credential-passphrase", desk.word)
    said = desk.ehc(
        "keys",
        "send",
        "security_key",
        1,
        "--to",
        "chengdu.identity",
        "--place",
        "510000",
        "--place",
        "510100",
        "-o",
        "e",
    )
    sender = said.split()[-1]
    desk.ehc("keys", "init", "--empty", "--keyring", "there")
    receive = ("keys", "receive", "e", "--credential", "chengdu.credential", "--credential-passphrase", desk.word)
    receive += ("--sender", sender, "--keyring", "there")
    assert "security_key version 1 is pre_active" in desk.ehc(*receive, "--receipt", "r")
    assert "opened before" in desk.ehc(*receive, "--receipt", "r2", code=7)
    assert "chengdu has the security_key" in desk.ehc("keys", "acknowledge", "r")
    with KeyringFolder(tmp_path / "there").open() as ring, desk.folder.open() as above:
        assert ring.entries[0].raw != above.entry(Purpose.SECURITY_KEY, 1).raw
        key = bytes(a ^ b for a, b in zip(bytes.fromhex(PARTS["wang"]), bytes.fromhex(PARTS["li"]), strict=True))
        assert bytes(above.entry(Purpose.SECURITY_KEY, 1).raw) == key
    for secret in (key.hex(), *PARTS.values()):
        assert secret not in desk.seen.lower()


def test_a_ceremony_goes_on_after_a_kill_and_everybody_signs(tmp_path):
    desk, asked = Desk(tmp_path), []

    def answers(shown, stop=None):
        asked.append(shown.splitlines()[-1])
        if len(asked) == stop:
            return None
        return WORD if "assphrase" in asked[-1] or asked[-1].startswith("Again") else os.urandom(16).hex()

    begin = ("ceremony", "act", "--leader", "chen", "--auditor", "qian", "--custodians", "wang,li")
    desk.on_terminal(*begin, answers=lambda shown: answers(shown, stop=5))
    desk.on_terminal("ceremony", "act", answers=lambda shown: answers(shown, stop=13))
    shown = desk.on_terminal("ceremony", "act", answers=answers)
    assert "the ceremony is over" in shown
    assert "done before: identity of chen" in shown
    with desk.folder.open() as ring:
        assert [(e.purpose, e.state) for e in ring.entries] == [
            ("signing_key", "active"), ("security_key", "active"), ("protection_key", "active")
        ]  # fmt: skip
        key = ring.usable(Purpose.SIGNING_KEY, Operation.SIGN)[0].public_key.hex()
    acts = [json.loads(line)["act"] for line in (tmp_path / "act" / "audit.log").read_text().splitlines()]
    assert len(acts) == len(set(acts))
    assert [act for act in acts if act.startswith("signature")] == [
        f"signature of {n}" for n in ("chen", "wang", "li", "qian")
    ]
    assert "checkpoints that fit" in desk.ehc("audit", "verify", "--keyring", "act", "--public-key", key)
    assert "done before: end" in desk.ehc("ceremony", "act")
    with desk.folder.open() as ring:
        assert not any(bytes(e.raw).hex() in desk.seen.lower() for e in ring.entries)
        assert {one.role for one in ring.office.custodians} == {Role.USER}


def test_a_ceremony_wants_different_people(tmp_path):
    desk = Desk(tmp_path)
    assert "at least two names" in desk.ehc("ceremony", "act", code=3)
    wrong = ("ceremony", "act", "--leader", "wang", "--auditor", "qian", "--custodians", "wang,li")
    assert "one person has one role" in desk.ehc(*wrong, code=3)
    assert not (tmp_path / "act").exists()


STATES = ["generate", "activate", "suspend", "deactivate", "compromise", "minimum"]
COPIES = ["backup", "drill", "restore", "archive", "recall"]
PEOPLE = [
    "reinstate",
    "identity",
    "enrol",
    "custodians",
    "component",
    "destroy",
    "cancel",
    "send",
    "receive",
    "acknowledge",
]
COMMANDS = STATES + COPIES + PEOPLE


@pytest.mark.parametrize("command", [*(["keys", c] for c in COMMANDS), ["ceremony"], ["audit", "verify"]], ids=" ".join)
def test_help_of_key_management_teaches_with_examples(command):
    import typer
    from typer.testing import CliRunner

    from ehc.cli.main import Commands

    app = typer.Typer(cls=Commands)
    app.callback()(lambda: None)
    shown = CliRunner().invoke(app, [*command, "--help"], env={"TERM": "dumb", "COLUMNS": "200"}).output
    assert "Examples:" in shown
    assert f"ehc {' '.join(command)}" in shown
