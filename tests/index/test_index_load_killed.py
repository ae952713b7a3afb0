"""`ehc index load`, killed with -9 somewhere: what it had acknowledged is there, and loading again ends alike."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from index_rooms import Room, make_room
from typer.testing import CliRunner

from ehc.cli.index import app
from ehc.config import Settings
from ehc.index.generate import Population
from ehc.index.history import replay
from ehc.wiring.stores import open_store

COMMAND = [sys.executable, "-m", "ehc.cli", "index"]


def environment(home: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    return clean | {"EHC_HOME": str(home)}


def words(file: Path, processes: int) -> list[str]:
    return ["load", str(file), "--new-domains", "--processes", str(processes), "--block", "50"]


def begin(file: Path, home: Path) -> "subprocess.Popen[str]":
    command = [*COMMAND, *words(file, 1)]
    return subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def load(file: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To its end."""
    monkeypatch.setenv("EHC_HOME", str(home))
    done = CliRunner().invoke(app, words(file, 0))
    assert done.exit_code == 0, done.output


def seen(room: Room) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """Record -> those at its person; the numbers of persons may differ."""
    rows = room.store.page(0, 100_000).rows
    groups: dict[int, set[tuple[str, str]]] = {}
    for one in rows:
        groups.setdefault(one.root, set()).add(one.body.key)
    assert len({one.body.key for one in rows}) == len(rows)  # no record twice
    return {one.body.key: frozenset(groups[one.root]) for one in rows}


def test_a_load_that_was_killed_is_finished_by_loading_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, whole, killed = tmp_path / "people.ndjson", tmp_path / "whole", tmp_path / "killed"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, Population(600, 1).rows())))
    load(file, whole, monkeypatch)
    chance = random.Random(4)
    for _ in range(2):
        running = begin(file, killed)
        assert running.stderr is not None
        told = os.read(running.stderr.fileno(), 200)  # waits until a block is acknowledged
        assert "records" in told.decode(), told
        time.sleep(chance.random() / 20)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()  # ends: the process that prepares has ended too, and closed its ends
    stores = open_store(Settings(home=str(killed)))
    half = make_room(stores, domains=False)
    events = half.store.events(0, 100_000)
    assert len(events) >= 50
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert len(replay(events).persons) == len(half.store.page(0, 100_000).rows)
    load(file, killed, monkeypatch)
    finished = open_store(Settings(home=str(whole)))
    assert seen(half) == seen(make_room(finished, domains=False))
    stores.close()
    finished.close()
