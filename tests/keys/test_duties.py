"""Role × duty, each pair exactly, by the commands that do them: real files, real credentials."""

import os

import pytest
from typer.testing import CliRunner

from ehc.cli.acting import act_as
from ehc.cli.main import app
from ehc.errors import Conflict, Forbidden
from ehc.keys import acting as room
from ehc.keys.audit import Role
from ehc.keys.credential import Credential
from ehc.keys.duties import Duty, duties
from ehc.keys.office import Office
from ehc.store.keyring_folder import KeyringFolder
from ehc.wiring.keys import open_host

MAY = {
    Role.SUPER_MANAGER: "enrol",
    Role.MANAGER: "keys enrol self-test",
    Role.OPERATOR: "start self-test",
    Role.AUDIT_MANAGER: "",
    Role.AUDITOR: "",
    Role.USER: "",
}
WORD = "a long passphrase\n"


@pytest.mark.parametrize("duty", list(Duty))
@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_its_duties_and_no_other(role, duty):
    may = duty.value in MAY[role].split()
    assert (duty in duties(role)) is may
    office, who = Office(), Credential.generate("zhou", role)
    for other in (Role.SUPER_MANAGER, Role.MANAGER, Role.OPERATOR):  # somebody is in charge of everything
        office.staff.append(Credential.generate(f"other-{other}", other).identity)
    office.staff.append(who.identity)
    if may:
        office.require(duty, who)
    else:
        with pytest.raises(Forbidden, match=f"not a duty of zhou, who is {role}"):
            office.require(duty, who)


def test_what_nobody_is_in_charge_of_is_anybodys_and_then_nobodys_without_a_credential():
    office, manager, stranger = (
        Office(),
        Credential.generate("zhou", Role.MANAGER),
        Credential.generate("x", Role.MANAGER),
    )
    office.require(Duty.KEYS, None)
    office.enrol(manager.identity, [], 0)
    office.require(Duty.START, None)
    with pytest.raises(Forbidden, match="ehc --as FILE"):
        office.require(Duty.KEYS, None)
    with pytest.raises(Forbidden, match="x is not enrolled"):
        office.require(Duty.KEYS, stranger)
    office.require(Duty.KEYS, manager)


def test_one_person_has_one_role():
    office, zhou = Office(), Credential.generate("zhou", Role.MANAGER)
    office.enrol(zhou.identity, [], 0)
    for again in (zhou.identity, Credential.generate("zhou", Role.OPERATOR).identity):
        with pytest.raises(Conflict, match="zhou is enrolled already"):
            office.enrol(again, [], 0)
    assert office.custodians == []


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A keyring with a manager, an operator and an auditor."""
    for name in [name for name in os.environ if name.startswith("EHC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EHC_HOME", str(tmp_path))
    monkeypatch.setattr(room.acting, "_ask", lambda: None)
    (tmp_path / "word").write_text(WORD)
    ehc(tmp_path, None, "keys", "init")
    for role in (Role.AUDITOR, Role.OPERATOR, Role.MANAGER):
        name = role.lower()
        made = ("--role", role.value, "--into", str(tmp_path), "--credential-passphrase", str(tmp_path / "word"))
        ehc(tmp_path, None, "keys", "identity", name, *made)
        ehc(tmp_path, None, "keys", "enrol", str(tmp_path / f"{name}.identity"))
    return tmp_path


def ehc(place, role, *arguments):
    who = () if role is None else ("--as", str(place / f"{role.lower()}.credential"))
    who += () if role is None else ("--as-passphrase-file", str(place / "word"))
    room.acting.by(lambda: None)
    done = CliRunner().invoke(app, [*who, *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def generate(place, role):
    ehc(place, role, "keys", "generate", "mac_key")


def selftest(place, role):
    ehc(place, role, "machine", "selftest")


def serve(place, role):
    room.acting.by(lambda: None)
    if role is not None:
        act_as(place / f"{role.lower()}.credential", place / "word")
    server, end = open_host(KeyringFolder(place / "keyring"), lambda: "", 1, ())
    server.close()
    end()


def add_kek(place, role):
    (place / "machines").mkdir(exist_ok=True)
    home = place / "machines" / str(role)
    ehc(place, role, "sdf", "init", "--home", str(home))
    ehc(place, role, "sdf", "add-kek", "--home", str(home), "--index", "1")


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        (generate, {Role.MANAGER}),
        (selftest, {Role.MANAGER, Role.OPERATOR}),
        (serve, {Role.OPERATOR}),
        (add_kek, {Role.MANAGER}),
    ],
    ids=["a key is made", "self-test", "start", "a machine of GM/T 0018"],
)
def test_a_command_is_done_by_those_in_charge_and_stands_in_the_audit_log_under_their_name(place, act, allowed):
    log = KeyringFolder(place / "keyring").audit
    for role in (None, Role.AUDITOR, Role.OPERATOR, Role.MANAGER):
        before = len(log.lines())
        if role in allowed:
            act(place, role)
            assert any(f'"who":"{role.lower()}"' in line.decode() for line in log.lines()[before:])
        else:
            with pytest.raises(Forbidden):
                act(place, role)
            assert len(log.lines()) == before
