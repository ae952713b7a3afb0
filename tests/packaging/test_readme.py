"""The README's examples run as they stand there."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^### (.+?)\n```(?:python|sh)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In an empty folder, with this environment's `ehc` and `python3` first on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")} | {"PATH": path}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_there_are_the_three_examples():
    assert list(EXAMPLES) == ["Card ids from Python", "Card ids for a file of people", "The service"]


def test_the_python_example_runs_and_says_why(capsys):
    exec(compile(EXAMPLES["Card ids from Python"], "README.md", "exec"), {})
    assert capsys.readouterr().out == "the token is too old\n"


def test_the_file_example_derives_one_card_and_puts_one_row_aside(tmp_path):
    ran = shell(EXAMPLES["Card ids for a file of people"], tmp_path)
    assert ran.returncode == 0, ran.stderr
    cards, rejects = ran.stdout.splitlines()[-4:-2], ran.stdout.splitlines()[-2:]
    assert cards[0] == "line,mindex,card_id"
    assert re.fullmatch(r"2,ABD17E7E[0-9A-F]{56},[0-9A-F]{64}", cards[1])
    assert rejects[1].startswith("3,id_number,")


def test_the_service_example_registers_draws_scans_and_verifies(tmp_path):
    ran = shell(EXAMPLES["The service"].replace("8480", str(free_port())), tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "accepted" in ran.stdout


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_leads_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("place", re.findall(r"^\| \[?`([a-z_]+[/.][a-z_/.]*)`", README, re.MULTILINE))
def test_every_room_of_the_map_is_there(place):
    assert (ROOT / place).exists()


def test_the_two_commands_are_the_first_ones_and_the_second_is_what_ci_runs():
    commands = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert commands[0] == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/ehc demo\n"
    assert commands[1] == ".ci/run\n"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
