"""`ehc admin operator …` over a real database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ehc.access.sign_in import SignIn
from ehc.cli.admin import app
from ehc.config import Settings
from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.app_secrets import AppSecrets
from ehc.keys.keyring import Keyring
from ehc.wiring.stores import open_store


def operator(*words: str) -> Result:
    return CliRunner().invoke(app, ["operator", *words])


def listed() -> list[dict[str, object]]:
    return list(json.loads(operator("list", "--json").stdout))


def test_a_new_operator_s_password_is_shown_once_and_serves_until_its_end(home: Path) -> None:
    done = operator("add", "li.na", "--role", "security")
    one_time = done.stdout.strip()
    assert "shown once" in done.stderr
    (row,) = listed()
    assert (row["name"], row["role"], row["signed_in_at"]) == ("li.na", "security", None)
    assert one_time not in operator("list").stdout
    assert all(one_time.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())
    store = open_store(Settings(home=str(home)))
    found = store.operators.find("li.na")
    assert found is not None
    ends = found[0].one_time_until
    assert ends is not None
    assert SignIn(store.operators, AppSecrets(Keyring())).check("li.na", one_time, "", ends - 1) is not None
    assert SignIn(store.operators, AppSecrets(Keyring())).check("li.na", one_time, "", ends) is None
    store.close()


def test_another_password_ends_the_one_before(home: Path) -> None:
    old = operator("add", "li.na", "--role", "security").stdout.strip()
    new = operator("password", "li.na").stdout.strip()
    store = open_store(Settings(home=str(home)))
    now, sign_in = store.operators.all()[0].created_at, SignIn(store.operators, AppSecrets(Keyring()))
    assert sign_in.check("li.na", old, "", now) is None
    assert sign_in.check("li.na", new, "", now) is not None
    assert [(deed.operator, deed.what, deed.subject) for deed in store.deeds.deeds()] == [
        ("shell", "give_password", "li.na"),
        ("shell", "add_operator", "li.na"),
    ]
    store.close()


@pytest.mark.usefixtures("home")
def test_an_operator_is_disabled_and_enabled_but_not_the_last_of_the_system() -> None:
    operator("add", "wang.yu", "--role", "system")
    operator("add", "li.na", "--role", "security")
    assert "li.na is disabled" in operator("disable", "li.na").stdout
    assert listed()[0]["disabled_at"] is not None
    assert "li.na is enabled" in operator("enable", "li.na").stdout
    assert isinstance(operator("disable", "wang.yu").exception, Conflict)


@pytest.mark.usefixtures("home")
def test_what_may_not_be_is_refused() -> None:
    assert isinstance(operator("add", "Li Na", "--role", "audit").exception, InputError)
    assert isinstance(operator("add", "li.na", "--role", "root").exception, InputError)
    assert isinstance(operator("password", "nobody").exception, NotFound)
    assert listed() == []
