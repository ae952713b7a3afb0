"""A server for programs of this machine: its address, files of secrets, how it runs. `ehc proxy`, `ehc reader run`."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import typer
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from ehc.cli.files import read
from ehc.errors import ConfigError, FileError, Unavailable


async def serve(app: Any, address: str, port: int, *, websockets: bool = False) -> None:
    """Until SIGTERM or Ctrl-C."""
    bound = port or _free_port(address)
    server = Server(
        app,
        address=address,
        port=bound,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=websockets,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, server.stop)
    typer.echo(f"listening on http://{address}:{bound}")
    await server.serve()


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise Unavailable(f"cannot listen on {address}: {error.strerror}") from error
        return int(probe.getsockname()[1])


def secret(file: Path, form: str, wanted: str) -> str:
    """Raises FileError for a file that others can read, or of another form."""
    text = read(file, "key file").decode("utf-8", "replace").strip()
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise FileError(f"{file} can be read by others: chmod 600 {file}")
    if not re.fullmatch(form, text):
        raise FileError(f"{file}: {wanted}")
    return text


def address_of(host: str, token: str | None) -> str:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"--host: {host!r} is no IP address; 127.0.0.1 is this machine alone") from error
    if not address.is_loopback and token is None:
        raise ConfigError(f"--host: {address} can be reached from other machines: give --token-file too")
    return str(address)
