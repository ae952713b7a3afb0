"""ehc migrate, ehc admin backup, ehc admin restore."""

import os
from pathlib import Path

import pytest
import servers
from typer.testing import CliRunner, Result

from ehc.cli.main import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EHC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EHC_HOME", str(tmp_path / "home"))
    return tmp_path


def ehc(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_database_goes_into_a_file_and_comes_out_of_it(kind: str, tmp_path: Path) -> None:
    urls = [servers.new_postgres() if kind == "postgres" else f"sqlite:///{tmp_path / name}" for name in ("a", "b")]
    assert "stands at 00" in ehc("migrate", "--database", urls[0]).stdout
    done = ehc("admin", "backup", "--database", urls[0], tmp_path / "copy")
    assert "0 accounts" in done.stdout
    assert "the keyring is not in it" in done.stderr
    done = ehc("admin", "restore", "--database", urls[1], tmp_path / "copy")
    assert "0 accounts restored" in done.stdout
    assert "keyring" in done.stderr
    assert ehc("migrate", "--database", urls[1]).exit_code == 0


def test_without_a_url_it_is_the_database_of_the_settings(home: Path) -> None:
    assert ehc("migrate").exit_code == 0
    assert (home / "home" / "ehc.db").exists()
    assert ehc("admin", "backup", home / "copy").exit_code == 0
