"""A service that is away, a terminal that is killed, a clock an hour off: what was accepted is uploaded, once."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from servers import serving
from services import wait_for
from typer.testing import CliRunner
from windows import PAYMENT, new_code, reader_run, service_settings

from ehc.cli.main import app
from ehc.cli.serve import start_service, stop_service
from ehc.client import Client
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import ConfigError, FileError
from ehc.store.outbox import Outbox
from ehc.terminal.clock import TerminalClock
from ehc.terminal.verdicts import Desk

STATIC = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
SIGNER = bytes(PrivateKey(bytes(range(1, 33))).public_key)


def test_what_was_accepted_while_the_service_was_away_is_uploaded_after_kill_9(tmp_path: Path) -> None:
    settings = service_settings(tmp_path / "service")
    service, url = start_service(settings)
    trust, found = tmp_path / "issuer.hex", tmp_path / "list.json"
    trust.write_text(SIGNER.hex())
    codes = [new_code(url) for _ in range(3)]
    place = ["--scene", PAYMENT, "--institution", "H-1", "--terminal", "w1", "--repeat", "0"]
    kept = ["--offline", str(found), "--trust", str(trust), "--queue", str(tmp_path / "queue.db")]
    with reader_run("--source", "none", "--service", url, *place, *kept) as terminal:
        wait_for(lambda: terminal.status()["list"] == "held")  # it fetched the issuer's list itself
        assert int(str(terminal.status()["list_age"])) < 60
        assert terminal.scan(codes[0])["verdict"] == "accepted"
        stop_service(service)
        for code in codes[1:]:
            said = terminal.scan(code)
            assert (said["verdict"], said["offline"], said["name"]) == ("accepted", True, None)
        assert terminal.scan(codes[1])["reason"] == "replayed"
        unknown = terminal.scan(STATIC)
        assert (unknown["verdict"], unknown["reason"] != "") == ("unanswered", True)
        wait_for(lambda: terminal.status()["service"] == "away")
        assert terminal.status()["waiting"] == 2
        terminal.kill()
        raw = b"".join(file.read_bytes() for file in tmp_path.glob("queue.db*"))
        assert not any(code.encode() in raw for code in codes)
        terminal.start()
        assert terminal.scan(codes[2])["reason"] == "replayed"  # it remembers, though it was killed
        assert (terminal.status()["waiting"], terminal.status()["list"]) == (2, "held")
        service, again = start_service(settings)
        try:
            terminal.stop()
            options = ["--source", "none", "--service", again, *place, *kept]
            with reader_run(*options) as back:
                wait_for(lambda: back.status()["waiting"] == 0)
                assert back.scan(codes[1])["reason"] == "replayed" or back.status()["service"] == "there"
            with Client(again) as other:
                assert other.verify(codes[2], PAYMENT, institution="H-1", terminal="w9").reason == "replayed"
        finally:
            stop_service(service)
    outbox = Outbox(tmp_path / "queue.db", (tmp_path / "queue.db.key").read_bytes())
    assert outbox.counts() == (0, 0, None)
    outbox.close()


class _HourAhead(BaseHTTPRequestHandler):
    """A service that knows the right time, for a machine whose clock is an hour slow."""

    def do_GET(self) -> None:
        body = json.dumps({"now": "2026-01-01T00:00:00Z", "epoch": int(time.time()) + 3600}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hour_ahead() -> Iterator[str]:
    with serving(HTTPServer(("127.0.0.1", 0), _HourAhead)) as http:
        yield f"http://127.0.0.1:{http.server_port}"


def test_a_clock_an_hour_off_is_put_right_and_said(hour_ahead: str) -> None:
    clock = TerminalClock()
    assert (clock.drift, clock.alarm) == (None, 0)
    assert abs(clock() - time.time()) < 3
    with Client(hour_ahead) as client:
        clock.ask(client)
    assert clock.alarm in range(-3603, -3596)
    assert abs(clock() - time.time() - 3600) < 3


def test_the_terminal_says_that_its_clock_is_an_hour_off(hour_ahead: str) -> None:
    with reader_run("--source", "none", "--service", hour_ahead, "--scene", PAYMENT) as terminal:
        wait_for(lambda: terminal.status()["clock"] != 0)
        assert abs(int(str(terminal.status()["clock"])) + 3600) < 5


def test_without_anybody_to_check_nothing_is_accepted() -> None:
    assert Desk(None, None).checks is False
    assert Desk(None, None)(STATIC).outcome is None
    with reader_run("--source", "none") as terminal:
        said = terminal.scan(STATIC)
        assert (said["verdict"], said["zh"]) == ("read", "已读取，未验证。")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "192.0.2.1"], "--token-file"),
        (["--service", "http://h"], "--scene"),
        (["--service", "nowhere", "--scene", PAYMENT], "no URL"),
        (["--source", "/nowhere/at/all"], "no camera"),
        (["--source", "x.raw", "--size", "12"], "1280x720"),
        (["--offline", "x", "--scene", PAYMENT], "--trust"),
        (["--service", "http://h", "--scene", PAYMENT, "--key", "k"], "--key-file"),
    ],
)
def test_what_is_wrong_is_said_before_it_starts(options: list[str], says: str) -> None:
    with pytest.raises((ConfigError, FileError), match=says):
        CliRunner().invoke(app, ["reader", "run", "--source", "none", *options], catch_exceptions=False)


def test_a_list_is_not_written_unless_a_trusted_key_signed_it(tmp_path: Path) -> None:
    (tmp_path / "other.hex").write_text(bytes(PrivateKey.generate().public_key).hex())
    service, url = start_service(service_settings(tmp_path / "service"))
    try:
        words = ["reader", "list", "--service", url, "-o", str(tmp_path / "list.json")]
        with pytest.raises(ValueError, match="no key that this terminal trusts"):
            CliRunner().invoke(app, [*words, "--trust", str(tmp_path / "other.hex")], catch_exceptions=False)
        assert not (tmp_path / "list.json").exists()
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert "fingerprint" in done.output
        assert SIGNER.hex().upper() in done.output
    finally:
        stop_service(service)
