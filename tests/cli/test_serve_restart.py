"""`ehc serve` while its workers are replaced or killed, under load and over real connections."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec.structs import replace
from services import log_of, settings_of, wait_for, workers_of

from ehc.cli.serve import start_service
from ehc.config import Settings
from ehc.store.keyring_folder import KeyringFolder

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"payload": f"{CARD}:1", "scene": "010101"})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "home", workers=2)


class Load(threading.Thread):
    """One client that keeps its connection and opens another when it is told that this one ends."""

    def __init__(self, url: str, pause: float) -> None:
        super().__init__()
        self._address, self._pause = urlsplit(url).netloc, pause
        self.statuses: Counter[object] = Counter()
        self.closed = 0
        self.go_on = True

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        while self.go_on:
            try:
                connection.request("POST", "/v1/verify", BODY, JSON)
                answer = connection.getresponse()
                answer.read()
                self.statuses[answer.status] += 1
                self.closed += answer.will_close
            except (OSError, http.client.HTTPException) as error:
                self.statuses[repr(error)] += 1
                connection.close()
            time.sleep(self._pause)
        connection.close()


def end(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_workers_are_replaced_one_by_one_without_a_failed_request(settings: Settings) -> None:
    process, url = start_service(settings)
    try:
        before = workers_of(process)
        clients = [Load(url, pause) for pause in (0.0, 0.0, 0.001, 0.01, 0.05, 0.1)]
        for client in clients:
            client.start()
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the workers are replaced" in log_of(settings))
        time.sleep(0.5)
        for client in clients:
            client.go_on = False
            client.join()
        assert len(workers_of(process)) == len(before) == 2
        assert not workers_of(process) & before
        assert sum(client.statuses[200] for client in clients) > 500
        assert [client.statuses for client in clients if set(client.statuses) != {200}] == []
        assert sum(client.closed for client in clients) > 0  # connections did move
    finally:
        end(process)


def test_a_worker_that_is_killed_again_and_again_comes_back(settings: Settings) -> None:
    process, url = start_service(replace(settings, workers=1))
    try:
        for _ in range(3):
            (worker,) = workers_of(process)
            os.kill(worker, signal.SIGKILL)
            wait_for(lambda worker=worker: workers_of(process) - {worker})
            answer = httpx.post(
                f"{url}/v1/verify", content=BODY, headers={"content-type": "application/json"}, timeout=60
            )
            assert answer.status_code == 200  # it waited in the listening socket, which nobody killed
    finally:
        end(process)


def test_a_new_worker_that_cannot_start_leaves_the_old_one(settings: Settings) -> None:
    process, url = start_service(replace(settings, workers=1))
    try:
        before = workers_of(process)
        sealed = KeyringFolder(settings.keyring_path()).sealed
        sealed.rename(sealed.with_name("elsewhere"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the workers are replaced" in log_of(settings))
        assert "the old one stays" in log_of(settings)
        assert workers_of(process) == before
        assert httpx.post(f"{url}/v1/verify", content=BODY, headers=JSON).status_code == 200
    finally:
        end(process)


GONE_MEANWHILE = """
import shutil, sys, time
from ehc.cli import main, serve, server
check, why_not = serve._check, server.Started.why_not
def after_all_fell(self):
    time.sleep(0.5)
    return why_not(self)
server.Started.why_not = after_all_fell
def check_and_lose(settings, *rest):
    found = check(settings, *rest)
    shutil.rmtree(settings.keyring_path())
    return found
serve._check = check_and_lose
sys.argv = ["ehc", "serve", "--port", "0"]
main.main()
"""
"""What was there when `ehc serve` looked, and is not when its workers do."""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_whose_first_workers_cannot_start_ends_and_says_why(settings: Settings, workers: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EHC_")}
    process = subprocess.run(
        [sys.executable, "-c", GONE_MEANWHILE],
        env=environment | {"EHC_HOME": settings.home, "EHC_WORKERS": str(workers)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (process.returncode, process.stdout) == (8, ""), process.stderr
    assert f"ehc: the service did not start: no keyring in {settings.keyring_path()}" in process.stderr
    assert "Traceback" not in process.stderr
    assert not list(settings.home_path().glob("numbers-*"))
