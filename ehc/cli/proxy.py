"""ehc proxy: the hospital's front-end (前置), so that hospital software needs no SM cipher of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import signal
import socket
import stat
from pathlib import Path
from typing import Annotated

import httpx
import typer
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from ehc.cli.sdk_desk import read
from ehc.client.signing import HmacKey, Signing
from ehc.errors import ConfigError, FileError, Unavailable
from ehc.proxy.app import Front, create_app
from ehc.proxy.family import Family
from ehc.store.outbox import Outbox

QUEUE = Path("~/.local/share/ehc/proxy-queue.db")
TIMEOUT = 10.0


def proxy(
    *,
    service: Annotated[str, typer.Option(help="URL of the service")],
    app: Annotated[str | None, typer.Option(help="family A: appId")] = None,
    secret_file: Annotated[Path | None, typer.Option(help="family A: file of its appSecret, 32 hex digits")] = None,
    version: Annotated[str, typer.Option(help="family A: version that the service names")] = "V2.0.0",
    key: Annotated[str | None, typer.Option(help="/v1: id of the authorisation key (ehc sdk key)")] = None,
    key_file: Annotated[Path | None, typer.Option(help="/v1: file of the key, 64 hex digits (ehc sdk unseal)")] = None,
    sdk: Annotated[str | None, typer.Option(help="/v1: NAME/VERSION/PLATFORM, as registered")] = None,
    institution: Annotated[str | None, typer.Option(help="/v1: for whom it speaks, where it may for several")] = None,
    queue: Annotated[Path, typer.Option(help="file of what waits for the service")] = QUEUE,
    host: Annotated[str, typer.Option(help="IP address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: a free one, which is printed")] = 8490,
    token_file: Annotated[Path | None, typer.Option(help="file of a token that callers must show")] = None,
) -> None:
    """Serve hospital software: it speaks plain JSON, the front-end signs, encrypts and keeps what must wait.

    \b
    Examples:
      ehc proxy --service https://ehc.example --app his-of-h1 --secret-file app.secret
      ehc proxy --service https://ehc.example --key k-1 --key-file key.hex --sdk ehc-client/1.4.0/python
      curl http://127.0.0.1:8490/api/encrypt --json '{"name": "电子健康卡"}'
    """
    family, own = _family(app, secret_file, version), _key(key, key_file, sdk)
    if family is None and own is None:
        raise ConfigError("nothing to sign with: --app and --secret-file, or --key, --key-file and --sdk")
    token = None if token_file is None else _secret(token_file, r"\S{16,256}", "a token has 16 characters or more")
    address = _address(host, token)
    seed = read(secret_file or key_file or Path(), "key file").strip()
    front = Front(
        _client(service, own, sdk, institution), family, Outbox(queue.expanduser(), seed), token, own is not None
    )
    asyncio.run(_serve(front, address, port))


async def _serve(front: Front, address: str, port: int) -> None:
    """Until SIGTERM or Ctrl-C."""
    bound = port or _free_port(address)
    server = Server(
        create_app(front),
        address=address,
        port=bound,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
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


def _client(service: str, own: HmacKey | None, sdk: str | None, institution: str | None) -> httpx.AsyncClient:
    """It follows no redirect: nothing is signed for another place."""
    named = {"x-sdk": sdk, "x-institution": institution}
    headers = {name: value for name, value in named.items() if value is not None}
    auth = None if own is None else Signing(own)
    if not re.match(r"https?://[^/]+", service):
        raise ConfigError(f"--service: {service!r} is no URL, such as https://ehc.example")
    return httpx.AsyncClient(base_url=service, headers=headers, auth=auth, timeout=TIMEOUT)


def _family(app: str | None, secret_file: Path | None, version: str) -> Family | None:
    if app is None and secret_file is None:
        return None
    if app is None or secret_file is None:
        raise ConfigError("family A needs --app and --secret-file")
    return Family(app, _secret(secret_file, "[0-9A-Fa-f]{32}", "an appSecret has 32 hex digits"), version)


def _key(id: str | None, file: Path | None, sdk: str | None) -> HmacKey | None:
    if id is None and file is None and sdk is None:
        return None
    if id is None or file is None or sdk is None:
        raise ConfigError("/v1 needs --key, --key-file and --sdk")
    return HmacKey(id, bytes.fromhex(_secret(file, "[0-9A-Fa-f]{64}", "an authorisation key has 64 hex digits")))


def _secret(file: Path, form: str, wanted: str) -> str:
    """Raises FileError for a file that others can read, or of another form."""
    text = read(file, "key file").decode("utf-8", "replace").strip()
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise FileError(f"{file} can be read by others: chmod 600 {file}")
    if not re.fullmatch(form, text):
        raise FileError(f"{file}: {wanted}")
    return text


def _address(host: str, token: str | None) -> str:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"--host: {host!r} is no IP address; 127.0.0.1 is this machine alone") from error
    if not address.is_loopback and token is None:
        raise ConfigError(f"--host: {address} can be reached from other machines: give --token-file too")
    return str(address)
