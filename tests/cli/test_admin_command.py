"""`ehc admin caller …` over a real database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ehc.access.caller import digest_of
from ehc.cli.admin import app
from ehc.config import Settings
from ehc.errors import Conflict, InputError, NotFound
from ehc.wiring.stores import open_store


def caller(*words: str) -> Result:
    return CliRunner().invoke(app, ["caller", *words])


def listed() -> list[dict[str, object]]:
    return list(json.loads(caller("list", "--json").stdout))


@pytest.mark.usefixtures("home")
def test_a_key_is_shown_once_and_kept_as_a_digest(home: Path) -> None:
    done = caller("add", "clinic", "--scope", "verify", "--scope", "codes", "--institution", "H-1", "--rate", "50")
    key = done.stdout.strip()
    assert len(key) == len("ehc_") + 43
    assert "only time" in done.stderr
    (one,) = listed()
    assert one["name"] == "clinic"
    assert (one["scopes"], one["institution"], one["rate"], one["keys"]) == (["codes", "verify"], "H-1", 50, 1)
    assert key not in caller("list", "--json").stdout + caller("list").stdout
    assert all(key.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())
    store = open_store(Settings(home=str(home)))
    (known,) = store.callers.keys(0)
    store.close()
    assert known.digest == digest_of(key)


@pytest.mark.usefixtures("home")
def test_a_rotated_caller_has_two_keys_for_the_overlap_and_one_without() -> None:
    old = caller("add", "app", "--scope", "verify").stdout.strip()
    new = caller("rotate", "app").stdout.strip()
    assert old != new
    assert listed()[0]["keys"] == 2
    caller("rotate", "app", "--overlap", "0")
    assert listed()[0]["keys"] == 1


@pytest.mark.usefixtures("home")
def test_a_revoked_caller_stays_listed_without_keys_and_its_name_is_not_given_again() -> None:
    caller("add", "app", "--scope", "verify")
    assert caller("revoke", "app").stdout == "app is revoked\n"
    assert caller("revoke", "app").exit_code == 0  # it is what was wanted
    (one,) = listed()
    assert one["keys"] == 0
    assert one["revoked_at"]
    assert isinstance(caller("add", "app", "--scope", "verify").exception, Conflict)
    assert isinstance(caller("rotate", "app").exception, Conflict)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["add", "a b", "--scope", "verify"], InputError, "a name has"),
        (["add", "-x", "--scope", "verify"], None, ""),
        (["add", "app", "--scope", "everything"], InputError, "there are verify"),
        (["add", "app", "--scope", "verify", "--rate", "0"], InputError, "at least 1"),
        (["add", "app", "--scope", "verify", "--institution", "a b"], InputError, "institution"),
        (["rotate", "nobody"], NotFound, "nobody"),
        (["revoke", "nobody"], NotFound, "nobody"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(words: list[str], kind: type | None, said: str) -> None:
    done = caller(*words)
    assert done.exit_code != 0
    if kind is not None:
        assert isinstance(done.exception, kind)
        assert said in str(done.exception)
    assert listed() == []
