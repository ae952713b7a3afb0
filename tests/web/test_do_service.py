"""Family A over real connections: the README's client, against `ehc serve` and an app of `ehc admin app add`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from do_client import SECRET, SETTINGS
from services import log_of, settings_of
from typer.testing import CliRunner

from ehc.cli.admin import app as admin
from ehc.cli.serve import running_service
from ehc.config import Settings
from ehc.errors import InputError

README = Path(__file__).parents[2] / "ehc/web/profiles/README.md"
CLIENT = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)[0]
SCOPES = [word for scope in ("register", "codes", "verify", "accounts:read") for word in ("--scope", scope)]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("EHC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EHC_HOME", str(tmp_path))
    return settings_of(tmp_path, **SETTINGS)


def test_the_client_of_the_readme_registers_and_verifies(settings: Settings) -> None:
    added = CliRunner().invoke(admin, ["app", "add", "his-of-h1", "--institution", "H1", *SCOPES])
    assert added.exit_code == 0, added.output
    secret = added.stdout.strip()
    assert len(secret) == 32
    with running_service(settings) as url:
        environment = os.environ | {"URL": url, "APP_ID": "his-of-h1", "APP_SECRET": secret}
        ran = subprocess.run(
            [sys.executable, "-c", CLIENT], env=environment, capture_output=True, text=True, check=False
        )
    assert ran.stdout.startswith("98FF9F2C 0 "), ran.stderr + log_of(settings)
    stored = [file.read_bytes() for file in settings.home_path().rglob("*") if file.is_file()]
    assert not any(secret.encode() in content for content in stored)


@pytest.mark.usefixtures("settings")
def test_an_app_may_bring_its_secret_and_its_name_is_not_given_again(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", "utf-8")
    words = ["app", "add", "old", "--scope", "verify", "--secret-file"]
    assert CliRunner().invoke(admin, [*words, str(tmp_path / "secret")]).stdout == ""
    listed = CliRunner().invoke(admin, ["caller", "list", "--json"]).stdout
    assert '"old"' in listed
    assert SECRET not in listed
    again = CliRunner().invoke(admin, [*words, str(tmp_path / "secret")])
    assert "old" in str(again.exception)
    (tmp_path / "secret").write_text("no secret", "utf-8")
    refused = CliRunner().invoke(
        admin, ["app", "add", "new", "--scope", "verify", "--secret-file", str(tmp_path / "secret")]
    )
    assert isinstance(refused.exception, InputError)
