"""ehc proxy: the hospital's front-end (前置), so that hospital software needs no SM cipher of its own."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated

import httpx
import typer

from ehc.cli.files import read
from ehc.cli.local_server import address_of, secret, serve
from ehc.client.signing import HmacKey, Signing
from ehc.errors import ConfigError
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
    token = None if token_file is None else secret(token_file, r"\S{16,256}", "a token has 16 characters or more")
    address = address_of(host, token)
    seed = read(secret_file or key_file or Path(), "key file").strip()
    front = Front(
        _client(service, own, sdk, institution), family, Outbox(queue.expanduser(), seed), token, own is not None
    )
    asyncio.run(serve(create_app(front), address, port))


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
    return Family(app, secret(secret_file, "[0-9A-Fa-f]{32}", "an appSecret has 32 hex digits"), version)


def _key(id: str | None, file: Path | None, sdk: str | None) -> HmacKey | None:
    if id is None and file is None and sdk is None:
        return None
    if id is None or file is None or sdk is None:
        raise ConfigError("/v1 needs --key, --key-file and --sdk")
    return HmacKey(id, bytes.fromhex(secret(file, "[0-9A-Fa-f]{64}", "an authorisation key has 64 hex digits")))
