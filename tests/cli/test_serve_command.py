"""`ehc serve` as a real process on a real port."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from ehc.cli.serve import _environment, running_service, serve, start_service
from ehc.config import Settings, load
from ehc.errors import ConfigError, KeyringError, Unavailable
from ehc.keys.keyring import Keyring, Purpose
from ehc.wiring.keys import keyring_folder

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
PAYMENT = "010105"


def make_keyring(settings: Settings, passphrase: str | None = None) -> None:
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex("11223344556677888877665544332211"), 0)
        keyring_folder(settings).create(keyring, passphrase)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=str(tmp_path / "home"), explain_refusals=True)
    make_keyring(made)
    return made


def add_caller(settings: Settings, *scopes: str) -> str:
    """Its key."""
    options = [option for scope in scopes for option in ("--scope", scope)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    done = subprocess.run(
        [sys.executable, "-m", "ehc.cli", "admin", "caller", "add", "tests", *options],
        env=environment | {"EHC_HOME": settings.home},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def post(url: str, path: str, body: Any) -> Any:
    answer = httpx.post(url + path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def verify(url: str, payload: str) -> Any:
    return post(url, "/v1/verify", {"payload": payload, "scene": PAYMENT})


@contextlib.contextmanager
def killed_at_the_end(process: "subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def child(*options: str, settings: Settings, stderr: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    return subprocess.Popen(
        [sys.executable, "-m", "ehc.cli", "serve", *options],
        env=environment | {"EHC_HOME": settings.home},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def test_what_was_acknowledged_survives_a_kill_9(settings: Settings) -> None:
    process, url = start_service(settings)
    with killed_at_the_end(process):
        assert post(url, "/v1/cards", SAMPLE)["card_id"] == CARD
        code, unused = (post(url, "/v1/codes", {"card_id": CARD, "kind": "dynamic"}) for _ in "12")
        while unused["payload"] == code["payload"]:  # profile N: one code a second
            unused = post(url, "/v1/codes", {"card_id": CARD, "kind": "dynamic"})
        assert verify(url, code["payload"])["accepted"]
        os.killpg(process.pid, signal.SIGKILL)
    with running_service(settings) as url:
        assert verify(url, code["payload"])["reason"] == "replayed"
        assert httpx.get(f"{url}/v1/cards/{CARD}").json()["state"] == "normal"
        assert verify(url, unused["payload"])["accepted"]


def test_one_code_shown_to_many_workers_at_once_is_accepted_once(settings: Settings) -> None:
    with running_service(replace(settings, workers=2)) as url:
        post(url, "/v1/cards", SAMPLE)
        code = post(url, "/v1/codes", {"card_id": CARD, "kind": "dynamic"})["payload"]
        with ThreadPoolExecutor(8) as pool:
            found = [answer["reason"] for answer in pool.map(lambda _: verify(url, code), range(24))]
    assert sorted(found) == ["accepted"] + ["replayed"] * 23


def test_a_worker_whose_parent_was_killed_ends_too(settings: Settings) -> None:
    process, url = start_service(settings)
    with killed_at_the_end(process):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with contextlib.suppress(httpx.HTTPError):
            for _ in range(500):
                httpx.get(f"{url}/health")
                time.sleep(0.02)
            pytest.fail("a worker goes on without its parent")


def signal_another_thread(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Than the main one: the kernel hands it to any, when the process had been paused."""
    thread = max(int(one.name) for one in Path(f"/proc/{process.pid}/task").iterdir())
    assert thread != process.pid
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.tgkill(process.pid, thread, number) == 0, os.strerror(ctypes.get_errno())


@pytest.mark.parametrize("send", [subprocess.Popen.send_signal, signal_another_thread])
def test_sigterm_ends_it_in_good_order(settings: Settings, send: Callable[..., None]) -> None:
    process, url = start_service(settings)
    with killed_at_the_end(process):
        assert httpx.get(f"{url}/ready").json() == {"status": "ready"}
        send(process, signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")  # the one line was read already
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


def test_the_log_is_json_lines_without_warnings_or_people(settings: Settings) -> None:
    with running_service(settings) as url:
        post(url, "/v1/cards", SAMPLE)
        code = post(url, "/v1/codes", {"card_id": CARD, "kind": "dynamic"})["payload"]
        verify(url, code)
    text = (settings.home_path() / "service.log").read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    requests = [line["endpoint"] for line in lines if line["event"] == "request"]
    assert requests == ["register_card"]  # what went well on the hot path is counted, not logged
    assert not any(secret in text for secret in (CARD, code, *SAMPLE.values()) if len(secret) > 2)


def test_a_body_over_the_limit_is_refused_over_the_wire(settings: Settings) -> None:
    with running_service(settings) as url:
        answer = httpx.post(f"{url}/v1/verify", content=b" " * 70_000, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:ehc:problem:too-large"


@pytest.fixture
def here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same settings for `ehc serve` called in this process, for what ends before a server starts."""
    for name in [name for name in os.environ if name.startswith("EHC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EHC_HOME", settings.home)
    return settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
@pytest.mark.usefixtures("here")
def test_it_does_not_listen_beyond_this_machine_while_nobody_is_asked_who_they_are(host: str) -> None:
    with pytest.raises(ConfigError, match=r"no caller is registered.*ehc admin caller add"):
        serve(host=host, port=0)


def test_it_listens_beyond_this_machine_for_callers_with_a_key(settings: Settings) -> None:
    key = add_caller(settings, "register")
    process = child("--host", "0.0.0.0", "--port", "0", settings=settings)
    with killed_at_the_end(process):
        assert process.stdout is not None
        host, _, port = process.stdout.readline().strip().rpartition(":")
        assert host == "listening on http://0.0.0.0"
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/health").is_success
        assert httpx.post(f"{url}/v1/cards", json=SAMPLE).status_code == 401
        answer = httpx.post(f"{url}/v1/cards", json=SAMPLE, headers={"authorization": f"Bearer {key}"})
        assert answer.json()["card_id"] == CARD


def test_all_workers_together_let_in_the_rate_of_a_caller_and_no_more(settings: Settings) -> None:
    headers = {"authorization": f"Bearer {add_caller(settings, 'accounts:read')}"}
    with running_service(replace(settings, workers=2, caller_rate=1, burst_seconds=20)) as url:
        began = time.monotonic()
        found = [
            httpx.get(f"{url}/v1/cards/{CARD}", headers=headers).status_code for _ in range(80)
        ]  # a connection each
        passed = found.count(404)
        assert 20 <= passed <= 20 + (time.monotonic() - began) + 1
        assert passed + found.count(429) == 80


def test_a_service_that_asks_nobody_says_so(settings: Settings) -> None:
    with running_service(settings):
        pass
    assert "nobody is asked who they are" in (settings.home_path() / "service.log").read_text("utf-8")


@pytest.mark.usefixtures("here")
def test_a_host_that_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'example\.org' is no IP address"):
        serve(host="example.org")


@pytest.mark.usefixtures("here")
def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=rf"cannot listen on 127\.0\.0\.1 port {port}: Address already in use"):
            serve(port=port)


def test_a_second_service_does_not_share_the_port_of_the_first(here: Settings) -> None:
    with running_service(here) as url, pytest.raises(Unavailable, match="Address already in use"):
        serve(port=int(url.rpartition(":")[2]))


def test_without_a_keyring_it_says_so_and_does_not_start(tmp_path: Path) -> None:
    process = child("--port", "0", settings=Settings(home=str(tmp_path)), stderr=subprocess.PIPE)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, "")
    assert str(tmp_path / "keyring") in error


def test_a_child_that_does_not_start_gives_its_reason(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"the service did not start: ehc: .*keyring"):
        start_service(Settings(home=str(tmp_path)))


@pytest.mark.usefixtures("here")
def test_options_come_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('host = "nowhere.example"\nkeyring = "/nowhere"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"nowhere\.example"):
        serve(config_file=file)
    with pytest.raises(KeyringError, match="no-keyring"):
        serve(config_file=file, host="127.0.0.1", keyring=tmp_path / "no-keyring")


@pytest.mark.usefixtures("here")
def test_a_database_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(Unavailable, match=r"/proc/nowhere/ehc\.db cannot be opened"):
        serve(database="sqlite:////proc/nowhere/ehc.db")


def test_a_passphrase_reaches_the_workers_from_a_file(tmp_path: Path) -> None:
    sealed = Settings(home=str(tmp_path / "home"))
    make_keyring(sealed, "an invented passphrase")
    (tmp_path / "word").write_text("an invented passphrase\n", "utf-8")
    (tmp_path / "word").chmod(0o600)
    process = child("--port", "0", "--passphrase-file", str(tmp_path / "word"), settings=sealed)
    with killed_at_the_end(process):
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert post(url, "/v1/cards", SAMPLE)["card_id"] == CARD


def test_every_setting_reaches_the_child(tmp_path: Path) -> None:
    changed = Settings(
        home=str(tmp_path),
        padding="minimal",
        token_time="issue",
        validity_seconds=7,
        static_scenes=(),
        single_use_scenes=("010105", "010103"),
        accept_unissued=True,
        explain_refusals=True,
    )
    assert load(_environment(changed)) == changed
    assert load(_environment(Settings())) == Settings()
