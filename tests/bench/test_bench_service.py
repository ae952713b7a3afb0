"""The load generator of bench/service.py, against the server that answers a constant."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import free_port
from services import wait_for

BENCH = Path(__file__).parents[2] / "bench"
HEAD = "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("load") / "load"
    warnings = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]
    subprocess.run(["gcc", "-std=gnu11", "-O2", *warnings, "-o", program, BENCH / "c" / "load.c"], check=True)
    (program.parent / "head").write_bytes(HEAD.encode())
    (program.parent / "bodies").write_text('{"payload":"a"}\n{"payload":"bcd"}\n', "ascii")
    return program


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    options = ["--interface", "rsgi", "--no-ws", "--http", "1", "--port", str(port), "--working-dir", BENCH / "peers"]
    command = [sys.executable, "-m", "granian", *options, "service_constant:app"]
    with (tmp_path_factory.mktemp("constant") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: accepts(port))
        yield port
    finally:
        process.terminate()
        process.wait(30)


def run(load: Path, port: int, rate: int, expect: str) -> dict[str, float]:
    files = [load.parent / "head", load.parent / "bodies"]
    command = [load, "127.0.0.1", port, 8, 0.5, rate, *files, expect]
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=60)
    return dict(json.loads(done.stdout))


def test_as_fast_as_it_answers(load: Path, port: int) -> None:
    found = run(load, port, 0, '"accepted":true')
    assert found["good"] > 100
    assert (found["other"], found["broken"]) == (0, 0)
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]


def test_at_a_constant_rate_all_that_is_due_is_sent(load: Path, port: int) -> None:
    found = run(load, port, 200, '"accepted":true')
    assert found["due"] == 100
    assert 95 <= found["good"] <= 120  # 20 are due in the first 0.1 s, which is not counted: they may be late


def test_an_answer_that_is_not_the_expected_one_is_counted_as_such(load: Path, port: int) -> None:
    found = run(load, port, 100, '"accepted":false')
    assert found["good"] == 0
    assert found["other"] > 40
