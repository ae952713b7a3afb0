"""`ehc info` as a process: what it says, where each setting comes from, and what it never shows."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from ehc.cli.info import masked


def run(*arguments, **environ):
    base = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    return subprocess.run(
        [sys.executable, "-m", "ehc.cli", "info", *arguments],
        env=base | {"COLUMNS": "200"} | environ, capture_output=True, text=True, check=False,
    )  # fmt: skip


@cache
def facts(**environ):
    ran = run("--json", **environ)
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


def test_the_version_alone():
    said = subprocess.check_output([sys.executable, "-m", "ehc.cli", "--version"], text=True)
    assert said == f"ehc {facts()['versions']['ehc']}\n"


def test_versions_of_everything_that_counts():
    versions = facts()["versions"]
    assert set(versions) >= {"ehc", "python", "numpy", "granian", "starlette", "zxing-cpp", "cryptography"}
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))


def test_tiers_compiled_supported_and_chosen():
    core = facts()["core"]
    assert core["compiled"][-1] == core["supported"][-1] == "portable"
    assert core["chosen"] == core["supported"][0]
    assert core["forced"] is False
    assert core["compiler"].split()[0] in ("GCC:", "clang")


def test_a_forced_tier_is_chosen_and_said():
    core = facts(EHC_ISA="portable")["core"]
    assert (core["chosen"], core["forced"]) == ("portable", True)


def test_processor_without_the_name_of_the_host():
    processor = facts()["processor"]
    assert processor["model"]
    assert processor["cores"] >= 1
    assert set(processor) == {"model", "family_model", "architecture", "cores", "instructions"}


def test_each_setting_says_where_it_comes_from(tmp_path):
    file = tmp_path / "ehc.toml"
    file.write_text("port = 9000\nworkers = 3\n")
    settings = facts(EHC_CONFIG=str(file), EHC_WORKERS="4")["settings"]
    assert settings["port"] == {"value": 9000, "source": str(file)}
    assert settings["workers"] == {"value": 4, "source": "EHC_WORKERS"}
    assert settings["padding"] == {"value": "full", "source": "default"}


def test_where_keyring_and_database_are_and_whether(tmp_path):
    places = facts(EHC_HOME=str(tmp_path))["places"]
    assert places["keyring"] == {"path": str(tmp_path / "keyring"), "exists": False}
    assert places["database"] == {"path": f"sqlite:///{tmp_path / 'ehc.db'}", "exists": False}
    (tmp_path / "keyring").mkdir()
    (tmp_path / "ehc.db").touch()
    facts.cache_clear()
    places = facts(EHC_HOME=str(tmp_path))["places"]
    assert (places["keyring"]["exists"], places["database"]["exists"]) == (True, True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://clerk:hunter2@db.example/ehc", "postgresql+psycopg://clerk:***@db.example/ehc"),
        ("postgresql://clerk:hun@ter2:/x@db.example/ehc", "postgresql://clerk:***@db.example/ehc"),
        ("postgresql://:hunter2@db.example/ehc", "postgresql://:***@db.example/ehc"),
        ("postgresql://clerk@db.example/ehc?a=1&b=2", "postgresql://clerk@db.example/ehc?a=***&b=***"),
        ("sqlite:////srv/ehc.db", "sqlite:////srv/ehc.db"),
    ],
)
def test_what_a_url_keeps_secret_is_masked(url, shown):
    assert masked(url) == shown


def test_a_database_password_is_never_shown():
    url = "postgresql://clerk:hunter2@db.example/ehc?sslpassword=hunter3"
    as_json, as_table = run("--json", EHC_DATABASE=url), run(EHC_DATABASE=url)
    found, shown = json.loads(as_json.stdout), "postgresql://clerk:***@db.example/ehc?sslpassword=***"
    assert found["settings"]["database"]["value"] == shown
    assert found["places"]["database"] == {"path": shown, "exists": None}
    assert shown in as_table.stdout
    assert "hunter" not in as_json.stdout + as_json.stderr + as_table.stdout + as_table.stderr


def test_a_refused_setting_is_named_after_everything_else_was_said():
    ran = run("--json", EHC_PORT="many")
    found = json.loads(ran.stdout)
    assert "port" in found["settings_error"]
    assert {"versions", "core", "processor"} <= set(found)
    assert ran.returncode == 6
    assert "port" in ran.stderr


def test_a_table_for_people_says_the_same():
    ran = run()
    assert ran.returncode == 0
    found = facts()
    for word in (found["core"]["chosen"], found["versions"]["numpy"], found["processor"]["model"], "keyring"):
        assert word in ran.stdout
