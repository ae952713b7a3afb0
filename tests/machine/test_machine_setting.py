"""The setting machine = "gmt0018", over our own library: real files, a real service, the commands that prepare it."""

import os
from dataclasses import replace

import httpx
import msgspec
import pytest
from sdf_machines import created
from typer.testing import CliRunner

from ehc import config
from ehc.cli.main import app
from ehc.cli.serve import running_service
from ehc.crypto import licence, sdf_device
from ehc.errors import ConfigError, KeyringError, KeyUnavailable
from ehc.ports import Capability
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.authority import MACHINE
from ehc.sdkauth.grant import new_grant
from ehc.sdkauth.licence import make
from ehc.wiring import keys as wired
from ehc.wiring.keys import open_machine

PERSON = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
NOW = 1_767_225_600
PASSWORD_LINE = "the pairs' password\n"


def ehc(environment, *arguments):
    done = CliRunner().invoke(app, arguments, env=environment, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A machine and a keyring whose keys it was given; what a shell would export for it."""
    folder = tmp_path_factory.mktemp("gmt0018")
    created(folder / "sdf")
    (folder / "password").write_text(PASSWORD_LINE)
    (folder / "password").chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    environment |= {"EHC_HOME": str(folder), "EHC_SDF_HOME": str(folder / "sdf")}
    ehc(environment, "keys", "init")
    ehc(environment, "sdf", "enclose", "--pair", "1", "--machine-keys", str(folder / "kept.json"))
    return folder, environment


@pytest.fixture
def settings(place, monkeypatch):
    folder, environment = place
    monkeypatch.setenv("EHC_SDF_HOME", environment["EHC_SDF_HOME"])
    return config.load(
        environment
        | {
            "EHC_MACHINE": "gmt0018",
            "EHC_MACHINE_LIBRARY": str(sdf_device.LIBRARY),
            "EHC_MACHINE_VENDOR": "ehc",
            "EHC_MACHINE_KEYS": str(folder / "kept.json"),
            "EHC_MACHINE_PASSWORD_FILE": str(folder / "password"),
            "EHC_MACHINE_PAIRS": "1",
            "EHC_ACCEPT_PROFILES": "N,A",
        }
    )


def changed(settings, **values):
    return msgspec.structs.replace(settings, **values)


@pytest.mark.parametrize("missing", ["EHC_MACHINE_LIBRARY", "EHC_MACHINE_KEYS"])
def test_a_setting_that_is_missing_is_named(missing):
    given = {"EHC_MACHINE": "gmt0018", "EHC_MACHINE_LIBRARY": "x", "EHC_MACHINE_KEYS": "y"}
    with pytest.raises(ConfigError, match=missing.removeprefix("EHC_").lower()):
        config.load({name: value for name, value in given.items() if name != missing})


@pytest.mark.parametrize(
    ("values", "error", "why"),
    [
        ({"machine_library": "/nowhere.so"}, ConfigError, "cannot be loaded"),
        ({"machine_library": "libm.so.6"}, ConfigError, "is no GM/T 0018 library: SDF_OpenDevice"),
        ({"machine_keys": "/nowhere.json"}, KeyringError, "setting machine_keys: /nowhere.json: No such file"),
        ({"machine_password_file": "/nowhere"}, ConfigError, "setting machine_password_file: /nowhere: No such file"),
        ({"machine_password_file": "/etc/passwd"}, ConfigError, "is open to others: chmod 600"),
        ({"machine_password_file": ""}, KeyringError, "security_key version 1: .*SDF_GetPrivateKeyAccessRight"),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_is_served(settings, values, error, why):
    with pytest.raises(error, match=why):
        open_machine(changed(settings, **values))


def test_a_device_that_does_not_open_is_named(settings, monkeypatch):
    monkeypatch.setenv("EHC_SDF_HOME", "/nowhere")
    with pytest.raises(ConfigError, match=r"does not open its device: .*SDR_OPENDEVICE"):
        open_machine(settings)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"accept_profiles": ("N", "A", "E2")}, "accept_profiles names E2, for which machine gmt0018 has no compact"),
        ({"issue_profile": "E2"}, "issue_profile names E2, .* no compact"),
        ({"issue_profile": "E3"}, "issue_profile names E3, .* no compact"),
        ({"issue_profile": "E3", "machine_pairs": ()}, "issue_profile names E3, .* no sign"),
    ],
)
def test_a_policy_that_the_machine_has_nothing_for_is_refused_at_start(settings, values, why):
    with pytest.raises(ConfigError, match=why):
        wired.open_keys(changed(settings, **values), None)


def test_a_machine_says_what_it_offers(settings):
    machine = open_machine(settings)
    assert machine.capabilities == set(Capability) - {Capability.COMPACT}
    assert open_machine(changed(settings, machine_pairs=())).capabilities == machine.capabilities - {Capability.SIGN}
    machine.close()


def test_licences_are_signed_in_the_machine_and_older_ones_stay_valid(settings):
    holder = new_app("city-app", "市卫健委", NOW, package="cn.example.health", certificate=bytes(32))
    grant = new_grant("city-app", "ehc-client", "*", ["codes"], None, begins_at=NOW, ends_at=NOW + 3600)
    opened = [wired.open_keys(changed(settings, licence_signer=signer), None) for signer in ("keyring", "machine")]
    known = opened[1].authority.public_keys
    assert known[MACHINE + 1] == opened[1].keys.verification_keys()[1]
    approved = replace(holder, state=AppState.APPROVED)
    files = [make(one.authority, approved, grant, NOW, serial=bytes(16), seconds=60) for one in opened]
    assert [licence.read(file, known).key for file in files] == [1, MACHINE + 1]
    for one in opened:
        one.close()


def test_a_machine_that_does_not_sign_signs_no_licences(settings):
    with pytest.raises(ConfigError, match="licence_signer names machine, and gmt0018 has no sign"):
        wired.open_keys(changed(settings, licence_signer="machine", machine_pairs=()), None)


def test_card_ids_of_a_file_are_those_of_the_software_machine(place, settings, tmp_path):
    _, environment = place
    (tmp_path / "people.csv").write_text("id_type,id_number,name\n" + ",".join(PERSON.values()) + "\n", "utf-8")
    own = {f"EHC_{name.upper()}": getattr(settings, name) for name in ("machine", "machine_library", "machine_vendor")}
    own |= {f"EHC_{name.upper()}": getattr(settings, name) for name in ("machine_keys", "machine_password_file")}
    ehc(environment, "derive", str(tmp_path / "people.csv"), "-o", str(tmp_path / "software.csv"))
    ehc(environment | own, "derive", str(tmp_path / "people.csv"), "-o", str(tmp_path / "machine.csv"))
    assert (tmp_path / "machine.csv").read_bytes() == (tmp_path / "software.csv").read_bytes()


def test_a_service_issues_and_verifies_with_it(settings, tmp_path):
    own = changed(settings, home=str(tmp_path), keyring=str(settings.keyring_path()), issue_profile="A")
    with running_service(own) as url, httpx.Client(base_url=url) as client:
        card = client.post("/v1/cards", json=PERSON).json()["card_id"]
        code = client.post("/v1/codes", json={"card_id": card, "kind": "dynamic"}).json()["payload"]
        assert client.post("/v1/verify", json={"payload": code, "scene": "010101"}).json()["accepted"] is True


def test_what_is_done_to_a_key_is_in_effect_when_the_file_was_replaced(place, settings):
    folder, environment = place
    opened = wired.open_keys(changed(settings, machine_pairs=()), None)
    keys, watch = opened.keys, opened.watch
    before = (folder / "kept.json").read_bytes()
    try:
        ehc(environment, "keys", "suspend", "security_key", "1")
        ehc(environment, "sdf", "enclose", "--pair", "1", "--machine-keys", str(folder / "kept.json"))
        watch.look()
        with pytest.raises(KeyUnavailable, match="security_key"):
            _ = keys.security_key_version
        (folder / "kept.json").write_bytes(b"{}")
        watch.look()
        assert "machine_keys" in watch.problem
        (folder / "kept.json").write_bytes(before)
        watch.look()
        assert keys.security_key_version == 1
        assert watch.problem == ""
    finally:
        opened.close()
        ehc(environment, "keys", "activate", "security_key", "1")


def test_a_key_made_in_the_machine_is_in_its_file_and_in_the_audit_log(place, settings, tmp_path):
    _, environment = place
    sdf_device.add_kek(settings.home_path() / "sdf", 7)
    file = tmp_path / "made.json"
    for version in ("1", "2"):
        said = ehc(environment, "sdf", "generate", "security_key", "--kek", "7", "--machine-keys", str(file))
        assert f"security_key version {version}" in said
    machine = open_machine(changed(settings, machine_keys=str(file)))
    assert machine.security_key_version == 2
    assert machine.security_key_check_value in said
    assert "machine.generate" in ehc(environment, "audit", "show", "-n", "2", "--json")
