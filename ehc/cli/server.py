"""Granian as `ehc serve` runs it: listening sockets that outlive their workers, and workers replaced one by one.

Each place for a worker has a listening socket, which this process holds open. A worker that ends, in order or not,
leaves the connections that wait there to the next one. On SIGHUP every worker is replaced: the new one starts beside
the old, which goes on answering, but ends each connection with its answer (SIGUSR1, DRAIN_SECONDS), and only then ends.
"""
# mypy: disable-error-code="no-untyped-call, attr-defined, override, no-any-return"
# Granian's own server classes have no types.

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from multiprocessing import get_context
from typing import Any

from granian.net import SocketSpec
from granian.server.mp import MPServer, WorkerProcess

from ehc.wiring.services import DRAIN_SIGNAL

log = logging.getLogger("ehc.cli")

BACKLOG = 4096  # connections that may wait for a worker that starts again
CONNECTIONS = 16_384  # a worker's at a time
DRAIN_SECONDS = 2.0
START_SECONDS = 60.0
CRASH_SECONDS = 5.0
SIGNAL_SECONDS = 1.0  # a signal that another thread took (after a pause, SIGCONT) does not end a wait of the main one


class Started:
    """Told by a worker when its app is there, or why it cannot be. Goes to it by fork."""

    def __init__(self) -> None:
        self._event = get_context("fork").Event()
        self._heard, self._says = get_context("fork").Pipe(duplex=False)

    def tell(self) -> None:
        self._event.set()

    def fail(self, why: str) -> None:
        self._says.send(why)

    def why_not(self) -> str:
        """What the first worker that failed said; empty when none said anything."""
        return str(self._heard.recv()) if self._heard.poll() else ""

    def wait(self, worker: WorkerProcess) -> bool:
        """False when the worker ended, or takes too long."""
        end = time.monotonic() + START_SECONDS
        while not self._event.wait(0.1):
            if not worker.is_alive() or time.monotonic() > end:
                return False
        return True

    def forget(self) -> None:
        self._event.clear()


class Server(MPServer):
    """started: what the target loader tells when an app is made. note: is logged when connections are accepted.

    Once it listens, a worker that falls is replaced for as long as it takes; before that, the whole server ends with
    `failed`, for nobody is served yet and whoever started it waits.
    """

    def __init__(self, *arguments: Any, started: Started, note: str | None, **options: Any) -> None:
        super().__init__(*arguments, **({"backlog": BACKLOG, "backpressure": CONNECTIONS} | options))
        self._started, self._note, self._announced = started, note, False
        self.failed = ""
        self._listening: list[Any] = []
        self._born: dict[int, float] = {}

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)
        threading.Thread(target=self._announce, daemon=True).start()

    def _init_shared_socket(self) -> None:
        self._sso = None
        spec = SocketSpec(self.bind_addr, self.bind_port, self.backlog)
        self._listening = [spec.build() for _ in range(self.workers)]

    def _drop_shared_socket(self) -> None:
        self._listening.clear()

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> WorkerProcess:
        self._ssp, self._shd = None, self._listening[idx]
        self._born[idx] = time.monotonic()
        return super()._spawn_worker(idx, target, callback_loader)

    def _respawn_workers(self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        for idx in workers:
            self._replace(idx, spawn_target, target_loader)

    def _replace(self, idx: int, spawn_target: Any, target_loader: Any) -> None:
        old = self.wrks[idx]
        if not old.is_alive() and time.monotonic() - self._born[idx] < CRASH_SECONDS:
            time.sleep(1)  # it may not get up for a while: a service that tries on needs no person
        self._started.forget()
        new = self._spawn_worker(idx, spawn_target, target_loader)
        self.wrks[idx] = new
        new.start()
        if self._started.wait(new):
            _retire(old, self.workers_kill_timeout or 0)
        elif old.is_alive():
            log.error("a new worker did not start: the old one stays")
            _stop(new, 0)
            self.wrks[idx] = old

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while True:
            while not self.main_loop_interrupt.wait(SIGNAL_SECONDS):
                pass
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                self.interrupt_children.clear()
                return
            fallen = [idx for idx in set(self.interrupt_children) if not self.wrks[idx].is_alive()]
            self.interrupt_children.clear()
            if fallen and not self._announced:
                self.failed = self._started.why_not() or "a worker ended before it served; the log may say why"
                return
            self._respawn_workers(fallen, spawn_target, target_loader)
            if self.reload_signal:
                self.reload_signal = False
                log.info("replacing the workers")
                self._respawn_workers(list(range(self.workers)), spawn_target, target_loader)
                log.info("the workers are replaced")

    def shutdown(self, exit_code: int = 0) -> None:
        try:
            super().shutdown(exit_code)
        except SystemExit:  # another worker fell while the first one's end was looked at
            if not self.failed:
                raise

    def _announce(self) -> None:
        scheme = "https" if self.ssl_ctx[0] else "http"
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind_addr, self.bind_addr)  # noqa: S104
        while not _accepts(reached, self.bind_port) or not self._started.wait(self.wrks[0]):
            time.sleep(0.02)
        self._announced = True
        if self._note:
            log.info(self._note)
        print(f"listening on {scheme}://{_bracketed(self.bind_addr)}:{self.bind_port}", flush=True)


def _retire(old: WorkerProcess, seconds: float) -> None:
    """No answer of it is lost: its connections are asked to come again elsewhere before it ends."""
    if old.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(old.inner.pid, DRAIN_SIGNAL)
        time.sleep(DRAIN_SECONDS)
    _stop(old, seconds)


def _stop(worker: WorkerProcess, seconds: float) -> None:
    worker.terminate()
    worker.join(seconds)
    if worker.is_alive():
        worker.kill()
        worker.join()


def _accepts(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
