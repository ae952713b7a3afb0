"""ehc machine: the crypto machine (密码机) as a server of the field's TCP host protocol."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from ehc import config
from ehc.cli.keys import PassphraseFile, passphrase_source
from ehc.errors import ConfigError, Unavailable
from ehc.keys.duties import Duty
from ehc.machine.host_server import HostServer, Network
from ehc.machine.selftest import self_test
from ehc.wiring.keys import keyring_folder, open_host

app = typer.Typer(
    help="The crypto machine (密码机) over TCP: frames of the field's host protocol, answered with the keyring's keys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="IP address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: a free one, which is printed.")] = 8481,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="Who may connect from elsewhere, such as 10.1.2.0/24.")
    ] = None,
    connections: Annotated[int, typer.Option(min=1, help="At most so many at a time.")] = 1024,
    config_file: Annotated[Path | None, typer.Option("--config", help="Settings, a TOML file.")] = None,
    keyring: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the sealed keyring.")] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Answer NC, CR, 3C, S3 and S4 (native/README.md, "Frames") until SIGTERM or Ctrl-C.

    The protocol asks nobody who they are: this machine serves those networks that
    --allow names, and without it this host alone. What is done to the keyring is
    in effect within a second.

    \b
    Examples:
      ehc machine serve
      ehc machine serve --host 10.1.2.3 --allow 10.1.2.0/24 --keyring /srv/ehc/keyring
    """
    given = {} if keyring is None else {"EHC_KEYRING": str(keyring)}
    settings = config.load(os.environ | given, config_file)
    networks = _networks(allow or [])
    listening = _listening(host, port, networks)
    server, end = open_host(keyring_folder(settings), passphrase_source(passphrase_file), connections, networks)
    with listening:
        try:
            uvloop.run(_serve(server, listening))
        finally:
            end()


@app.command()
def selftest(
    config_file: Annotated[Path | None, typer.Option("--config", help="Settings, a TOML file.")] = None,
    keyring: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the sealed keyring.")] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Run every check of the software machine (自检), after the chapters of GM/T 0030, and say what failed.

    Known answers on the tier in use, random numbers, the check values of every
    key. The same runs at every start; a machine that fails refuses work.
    Exit code 8 when anything failed.

    \b
    Examples:
      ehc machine selftest
      ehc machine selftest --keyring /srv/ehc/keyring
    """
    given = {} if keyring is None else {"EHC_KEYRING": str(keyring)}
    settings = config.load(os.environ | given, config_file)
    folder = keyring_folder(settings)
    with folder.open(passphrase_source(passphrase_file)) as content:
        who = folder.require(Duty.SELF_TEST, content)
        report = self_test(content)
    folder.audit.append("machine.selftest", {"failed": report.failed, "tier": report.tier}, who)
    table = Table("chapter of GM/T 0030", "check", "result")
    for check in report.checks:
        table.add_row(check.chapter, check.name, check.wrong or "passed")
    Console().print(table)
    typer.echo(f"tier {report.tier}")
    report.require()


async def _serve(server: HostServer, listening: socket.socket) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    accepting = await server.listen(listening)
    host, port = listening.getsockname()[:2]
    typer.echo(f"listening on {host} port {port}")
    await ended.wait()
    accepting.close()
    server.close()


def _networks(allow: list[str]) -> list[Network]:
    try:
        return [ipaddress.ip_network(one) for one in allow]
    except ValueError as error:
        raise ConfigError(f"--allow: {error}") from error


def _listening(host: str, port: int, networks: list[Network]) -> socket.socket:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"--host: {host!r} is no IP address; 127.0.0.1 is this machine alone") from error
    if not address.is_loopback and not networks:
        raise ConfigError(
            f"--host: {address} can be reached from other machines: say with --allow which networks may use the keys"
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        return socket.create_server((str(address), port), family=family, backlog=1024)
    except OSError as error:
        raise Unavailable(f"cannot listen on {address} port {port}: {error.strerror}") from error
