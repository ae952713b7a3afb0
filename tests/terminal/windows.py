"""What the terminal's tests stand on: a camera behind a pipe, `ehc reader run` as a process, a service."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from services import settings_of, wait_for

from ehc.config import Settings
from ehc.institutions.place import Institution
from ehc.keys.keyring import Purpose
from ehc.wiring.keys import keyring_folder
from ehc.wiring.services import open_services
from ehc.wiring.stores import system_clock

sys.path.insert(0, str(Path(__file__).parents[1] / "reader"))
from code_streams import beside, empty, frame, header, photo

CONSULTATION, PAYMENT = "010102", "010105"
SIGNER = bytes(range(1, 33))
PERSON = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}


class PipeCamera:
    """A camera whose frames come through a FIFO, as from ffmpeg: it can be pulled out and put back."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "camera.y4m"
        os.mkfifo(self.path)
        self._pixels, self._there, self._over = empty(), threading.Event(), False
        self._there.set()
        self._thread = threading.Thread(target=self._stream, daemon=True)
        self._thread.start()

    def show(self, text: str | None, seed: int = 1) -> None:
        """A photo of a code; None: an empty desk."""
        self._pixels = empty() if text is None else photo(text, seed)

    def show_both(self, one: str, other: str) -> None:
        self._pixels = beside(one, other)

    def unplug(self) -> None:
        self._there.clear()

    def plug(self) -> None:
        self._there.set()

    def _stream(self) -> None:
        while not self._over:
            self._there.wait()
            try:
                with self.path.open("wb", buffering=0) as pipe:
                    pipe.write(header())
                    while self._there.is_set():
                        pipe.write(frame(self._pixels))
                        time.sleep(1 / 15)
            except BrokenPipeError:
                pass


def service_settings(home: Path) -> Settings:
    """Of a service that issues signed codes and takes them offline, with one institution."""
    signed = {"accept_profiles": ("N", "E3"), "issue_profile": "E3", "issuer": 440100, "node": 1}
    settings = settings_of(home, **signed, offline_scenes=(CONSULTATION, PAYMENT), single_use_scenes=(PAYMENT,))
    with keyring_folder(settings).change() as keyring:
        keyring.add(Purpose.SIGNING_KEY, bytearray(SIGNER), 0)
    services = open_services(settings)
    services.register.add(Institution("H-1", "测试医院", "510104", "A100", system_clock() - 60), "")
    services.close()
    return settings


def new_code(url: str) -> str:
    """A fresh dynamic code of the sample person."""
    with httpx.Client(base_url=url) as client:
        card = client.post("/v1/cards", json=PERSON).json()["card_id"]
        return str(client.post("/v1/codes", json={"card_id": card, "kind": "dynamic"}).json()["payload"])


class Running:
    """`ehc reader run` as a process."""

    def __init__(self, *options: str) -> None:
        self._options, self.url, self.log = options, "", list[str]()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        port = self.url.rsplit(":", 1)[-1] if self.url else "0"
        command = [sys.executable, "-P", "-m", "ehc.cli", "reader", "run", "--port", port, *self._options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.url = line.split()[-1]
        self._listener = threading.Thread(target=self._listen, args=(self.process.stderr,), daemon=True)
        self._listener.start()
        wait_for(self._answers)

    def _listen(self, stderr: "Iterator[str]") -> None:
        self.log += list(stderr)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/status").is_success
        except httpx.TransportError:
            return False

    def status(self) -> dict[str, object]:
        return dict(httpx.get(f"{self.url}/api/status").json())

    def scan(self, payload: str) -> dict[str, object]:
        answer = httpx.post(f"{self.url}/api/scan", json={"payload": payload}, timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self._listener.join()
            for pipe in (self.process.stdout, self.process.stderr):
                assert pipe is not None
                pipe.close()
        self.process = None


@contextmanager
def reader_run(*options: str) -> "Iterator[Running]":
    running = Running(*options)
    running.start()
    try:
        yield running
    finally:
        running.stop()
