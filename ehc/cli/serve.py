"""ehc serve: the HTTP service, on Granian. `running_service` runs it as a child process."""

from __future__ import annotations

import contextlib
import gc
import importlib
import ipaddress
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings

from ehc import config
from ehc.cli.keys import PassphraseFile, passphrase_source
from ehc.cli.server import Server, Started
from ehc.config import Settings
from ehc.errors import ConfigError, EhcError, Unavailable, edge
from ehc.wiring.services import open_services

log = logging.getLogger("ehc.cli")

APP = "ehc.web.app:create_app"
HEAD_BYTES = 65_536  # of a request line and its headers together
STOP_SECONDS = 10  # for requests that are being served when the service is told to stop

_TO_STDERR = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ehc.web.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"ehc": _TO_STDERR, "_granian": _TO_STDERR, "granian.access": _TO_STDERR},
}


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="IP address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="0: a free one, which is printed")] = None,
    config_file: Annotated[Path | None, typer.Option("--config", help="settings, a TOML file")] = None,
    keyring: Annotated[Path | None, typer.Option(help="folder of the sealed keyring")] = None,
    database: Annotated[str | None, typer.Option(help="such as sqlite:////var/lib/ehc/ehc.db")] = None,
    workers: Annotated[int | None, typer.Option(help="processes")] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Serve cards, codes and their verification over HTTP, or HTTPS when the settings name a certificate.

    SIGTERM or Ctrl-C ends it; open requests are answered. SIGHUP replaces the
    workers one by one without a failed request: do it when the certificate has
    been renewed.
    """
    options = {"HOST": host, "PORT": port, "KEYRING": keyring, "DATABASE": database, "WORKERS": workers}
    given = {f"EHC_{name}": str(value) for name, value in options.items() if value is not None}
    settings = config.load(os.environ | given, config_file)
    address = _address(settings.host)
    passphrase = _Passphrase(passphrase_source(passphrase_file))
    is_open = _check(settings, passphrase, address)
    note = None if not is_open else "no caller is registered: nobody is asked who they are (ehc admin caller add)"
    certificate, key = _tls(settings)
    _allow_open_files()
    with _held_port(str(address), settings.port) as held, _numbers(settings, held) as numbers:
        started = Started()
        server = Server(
            APP,
            address=str(address),
            port=held,
            interface=Interfaces.RSGI,
            workers=settings.workers,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(settings.idle_seconds * 1000, max_buffer_size=HEAD_BYTES),
            websockets=False,
            log_dictconfig=LOGGING,
            workers_kill_timeout=STOP_SECONDS,
            ssl_cert=certificate,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
            started=started,
            note=note,
        )
        server.serve(target_loader=_Loader(settings, passphrase.known, started, numbers))
        if server.failed:
            raise Unavailable(f"the service did not start: {server.failed}")


@contextlib.contextmanager
def _numbers(settings: Settings, port: int) -> Iterator[Path]:
    """A folder of what the workers count. A killed service leaves it in HOME; the next on its port removes it."""
    folder = settings.home_path() / f"numbers-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise Unavailable(f"the folder {folder} cannot be made: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tls(settings: Settings) -> tuple[Path | None, Path | None]:
    """Certificate chain and key, both PEM. Raises ConfigError for what cannot be used."""
    if not (settings.tls_certificate or settings.tls_key):
        return None, None
    certificate, key = Path(settings.tls_certificate).expanduser(), Path(settings.tls_key).expanduser()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except (OSError, ssl.SSLError) as error:
        is_content = isinstance(error, ssl.SSLError)
        reason = "not a PEM certificate and its key, unencrypted" if is_content else error.strerror
        raise ConfigError(f"tls_certificate {certificate} with tls_key {key}: {reason}") from error
    return certificate, key


def _allow_open_files() -> None:
    """As many as this process may: every connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"host: {host!r} is no IP address; 127.0.0.1 is this machine alone") from error


def _check(
    settings: Settings, passphrase: Callable[[], str], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> bool:
    """Whatever is wrong is said here, before a worker starts. True: nobody will be asked who they are."""
    services = open_services(settings, passphrase)
    try:
        is_open = services.callers.version() == 0
    finally:
        services.close()
    if is_open and not address.is_loopback:
        raise ConfigError(
            f"host: {address} can be reached from other machines, and no caller is registered: "
            "register one with `ehc admin caller add`, or listen on 127.0.0.1"
        )
    return is_open


@contextlib.contextmanager
def _held_port(address: str, port: int) -> Iterator[int]:
    """The port, for this service alone: another one that listens on it already is an error. Raises Unavailable.

    The workers' sockets share the port with the one that holds it here, which takes no connection.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a former service may linger
        try:
            held.bind((address, port))
        except OSError as error:
            raise Unavailable(f"cannot listen on {address} port {port}: {error.strerror}") from error
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # only now: before, it would have shared any port
        yield held.getsockname()[1]


class _Passphrase:
    """Asks once; `known` is what was said, None while nobody needed it."""

    def __init__(self, source: Callable[[], str]) -> None:
        self._source = source
        self.known: str | None = None

    def __call__(self) -> str:
        if self.known is None:
            self.known = self._source()
        return self.known


@dataclass(frozen=True, slots=True)
class _Loader:
    """Makes the app inside a worker process. Handed over by fork (or a pipe), so never in argv or the environment."""

    settings: Settings
    passphrase: str | None = field(repr=False)
    started: Started
    numbers: Path

    def __call__(self, target: str) -> Any:
        _end_with_parent()
        try:
            app = self._make(target)
        except EhcError as error:
            self.started.fail(str(error))
            log.error("a worker cannot start: %s", error)
            sys.exit(edge(error).exit)
        except Exception as error:
            self.started.fail(f"{type(error).__name__}, as the log says")
            raise
        gc.collect()
        gc.freeze()  # what the process begins with is not looked through again each time a batch makes garbage
        self.started.tell()
        return app

    def _make(self, target: str) -> Any:
        module, _, factory = target.partition(":")
        services = open_services(self.settings, None if self.passphrase is None else lambda: self.passphrase or "")
        return getattr(importlib.import_module(module), factory)(services, self.numbers)


def _end_with_parent() -> None:
    """A worker whose parent was killed ends itself, so that it does not go on holding the port."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def running_service(settings: Settings) -> Iterator[str]:
    """The service as a child process on a free loopback port, with these settings; yields its URL, stops it at the end.

    Its log is HOME/service.log. Raises Unavailable with the reason when it does not start.
    """
    process, url = start_service(settings)
    try:
        yield url
    finally:
        stop_service(process)


def stop_service(process: subprocess.Popen[str]) -> None:
    """In good order; by force when it does not come to an end."""
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS + 5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def start_service(settings: Settings) -> tuple[subprocess.Popen[str], str]:
    """The process, leader of a group of its own, and the URL at which it answers. Raises Unavailable."""
    log = settings.home_path() / "service.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ehc.cli", "serve", "--host", "127.0.0.1", "--port", "0"],
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None  # noqa: S101  it is a pipe
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        process.communicate()
        raise Unavailable(f"the service did not start: {log.read_text('utf-8').strip()[-500:]}")
    return process, line.split()[-1]


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with every setting as the child's config.load reads it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("EHC_") or name in config.OF_LIBRARIES
    }
    for name, value in msgspec.to_builtins(settings).items():
        text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        environment[f"EHC_{name.upper()}"] = text.lower() if isinstance(value, bool) else text
    return environment
