"""`ehc keys rotate security_key` as an operator gives it, over a real keyring and a real database."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from invented_cards import person
from services import settings_of, wait_for
from typer.testing import CliRunner, Result

from ehc.cards.bulk_registration import columns_of
from ehc.cli import rotation
from ehc.cli.key_commands import app
from ehc.errors import Conflict, EhcError, NotFound
from ehc.wiring.services import open_services

PEOPLE = 30


@pytest.fixture
def province(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whose cards have ids under version 1."""
    services = open_services(settings_of(home))
    services.bulk.register(columns_of([person(i) for i in range(PEOPLE)]), services.clock())
    services.close()
    monkeypatch.setattr(os, "nice", lambda by: by)  # the tests' own process stays what it is
    monkeypatch.setattr(rotation, "HEARD", 0)
    return home


def rotate(*words: str) -> Result:
    return CliRunner().invoke(app, ["rotate", "security_key", *words], catch_exceptions=True)


def refused(*words: str) -> EhcError:
    error = rotate(*words).exception
    assert isinstance(error, EhcError)
    return error


def status() -> dict[str, Any]:
    return dict(json.loads(rotate("status", "--json").stdout))


def test_a_rekeying_from_begin_to_end(province: Path) -> None:
    done = rotate()
    assert done.exit_code == 0, done.output
    assert "version 2 was made, check value" in done.stderr
    assert "version 1 to 2: phase ready" in done.stdout
    assert "flip" in done.stdout  # what comes next
    assert "phase grace" in rotate("flip").stdout
    assert "phase grace" in rotate("flip").stdout  # once more changes nothing
    assert "phase retired" in rotate("retire").stdout
    found = status()
    assert (found["phase"], found["total"], found["due"], found["refused"]) == ("retired", PEOPLE, 0, 0)


def test_what_a_phase_does_not_allow_is_refused_with_the_reason(province: Path) -> None:
    assert isinstance(refused("status"), NotFound)
    assert isinstance(refused("flip"), NotFound)
    rotate()
    assert "only after the flip" in str(refused("retire"))
    rotate("pause")
    assert "paused" in rotate("status").stdout
    assert "resume" in str(refused())
    assert "phase ready" in rotate("resume").stdout
    assert "phase rolled_back" in rotate("roll-back").stdout
    assert isinstance(refused("pause"), Conflict)


def test_wrong_words_are_answered_with_the_right_ones(home: Path) -> None:
    assert "'security_key'" in CliRunner().invoke(app, ["rotate", "mac_key"]).output
    assert rotate("flop").exit_code == 2
    assert rotate("--share", "0").exit_code == 2
    shown = rotate("--help").stdout
    assert all(word in shown for word in ("flip", "retire", "roll-back", "pause", "resume", "status", "--background"))


def test_a_keyring_older_than_the_cards_makes_no_second_key_of_their_version(province: Path) -> None:
    older = {file.name: file.read_bytes() for file in (province / "keyring").iterdir() if file.is_file()}
    rotate(), rotate("flip"), rotate("retire")
    for file in (province / "keyring").iterdir():
        if file.is_file():
            file.unlink()
    for name, content in older.items():
        (province / "keyring" / name).write_bytes(content)
    assert "older" in str(refused())


def in_background() -> int:
    command = [sys.executable, "-m", "ehc.cli", "keys", "rotate", "security_key", "--background"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "rotation.log" in done.stdout
    return int(done.stdout.split()[1].rstrip(","))


def test_a_background_run_is_killed_and_gone_on_with(province: Path) -> None:
    process = in_background()
    os.kill(process, signal.SIGKILL)
    assert "phase ready" in rotate().stdout
    assert in_background() != process
    wait_for(lambda: "phase ready" in (province / "rotation.log").read_text("utf-8"))
