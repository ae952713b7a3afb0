"""ehc admin app: apps of the field's interfaces, which sign their requests (web/profiles)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from ehc.access.app import SECRET_BYTES, Apps
from ehc.access.caller import Scope, new_caller
from ehc.cli.database import ConfigFile, Database, opened, settings_of
from ehc.cli.keys import PassphraseFile, passphrase_source
from ehc.errors import FileError
from ehc.keys.sealing import NONCE_BYTES
from ehc.wiring.keys import open_authority

app = typer.Typer(
    help="Apps of the field's interfaces: callers that sign what they send (profile do).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
STDIN = Path("-")


@app.command()
def add(
    app_id: Annotated[str, typer.Argument(help="the appId; unique for ever; stands in logs")],
    *,
    scope: Annotated[list[str], typer.Option(help=f"what it may do, several times: {', '.join(Scope)}")],
    institution: Annotated[str | None, typer.Option(help="the only one it speaks for; else any")] = None,
    rate: Annotated[int | None, typer.Option(help="requests a second; else as the settings say")] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="an appSecret that the app has already, 32 hex digits (- is stdin)")
    ] = None,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Register an app and print its appSecret: now, and never again.

    Its secret is also the key of its encrypted fields. It is kept sealed under
    the protection key. `ehc admin caller` lists and revokes apps too.

    \b
    Examples:
      ehc admin app add his-of-H1 --scope register --scope verify --institution H1
      ehc admin app add 60C90F3B796B41878B8D9C393E2B6329 --scope verify --secret-file old.txt
    """
    new = new_caller(app_id, scope, institution, rate)
    settings = settings_of(database, config_file)
    secret = _read(secret_file) if secret_file else os.urandom(SECRET_BYTES).hex()
    sealing, _ = open_authority(settings, passphrase_source(passphrase_file))
    with opened(settings) as store:
        Apps(store.apps, sealing).add(new, secret, os.urandom(NONCE_BYTES), int(time.time()))
    if secret_file is None:
        typer.echo(secret)
        typer.echo("this is the only time that the secret is shown: it is kept sealed", err=True)


def _read(file: Path) -> str:
    try:
        return (sys.stdin.read() if file == STDIN else file.read_text("utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"secret file {file}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
