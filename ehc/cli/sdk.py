"""ehc sdk: releases of SDKs. Apps with their grants, keys and licences: sdk_apps.py; the debugger: sdk_debug.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ehc.cli import sdk_apps, sdk_debug
from ehc.cli.database import ConfigFile, Database
from ehc.cli.files import read, write
from ehc.cli.keys import PassphraseFile
from ehc.cli.sdk_desk import desk
from ehc.crypto import sm3
from ehc.errors import FileError
from ehc.sdkauth.sdk import MOST_BYTES, SdkState, parse_id

app = typer.Typer(
    help="SDK authorisation (SDK授权管理): which apps may use which SDK for what.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(sdk_apps.app, name="app")
app.add_typer(sdk_apps.grants, name="grant")
app.add_typer(sdk_apps.keys, name="key")
app.command()(sdk_apps.licence)
app.command()(sdk_apps.keypair)
app.command()(sdk_apps.unseal)
app.command()(sdk_debug.debug)

PART_BYTES = 1 << 20
Release = Annotated[str, typer.Argument(metavar="NAME/VERSION/PLATFORM", help="such as ehc-client/1.4.0/android")]
Reason = Annotated[str, typer.Option(help="why; kept")]


@app.command()
def add(
    release: Release,
    *,
    file: Annotated[Path | None, typer.Option(help="its file, at most 64 MiB; can be given later")] = None,
    note: Annotated[str, typer.Option(help="one line")] = "",
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Register a release of an SDK as a draft.

    \b
    Examples:
      ehc sdk add ehc-client/1.4.0/android --file ehc-client-1.4.0.aar
    """
    id = parse_id(release)
    with desk(database, config_file) as at:
        at.sdks.add(id, note, at.act())
    if file is not None:
        upload(release, file, database, config_file)
    typer.echo(f"{id} is a draft")


@app.command()
def upload(
    release: Release,
    file: Annotated[Path, typer.Argument(help="at most 64 MiB")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Give a draft its file, in place of the one it has."""
    data = read(file, "file")
    if len(data) > MOST_BYTES:
        raise FileError(f"file {file}: {len(data):,} bytes; an SDK has at most {MOST_BYTES:,}")
    with desk(database, config_file) as at:
        parts = (data[i : i + PART_BYTES] for i in range(0, len(data), PART_BYTES))
        at.sdks.put_file(parse_id(release), parts, sm3(data), len(data), at.act())
    typer.echo(f"SM3 {sm3(data).hex().upper()}")


@app.command()
def state(
    release: Release,
    to: Annotated[SdkState, typer.Argument(metavar="STATE", help="review, draft, published, deprecated, revoked")],
    *,
    reason: Reason,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Review, publish, deprecate or revoke a release. What is published is signed by this system."""
    with desk(database, config_file, passphrase_file, keys=to is SdkState.PUBLISHED) as at:
        moved = at.sdks.move(parse_id(release), to, at.act(reason))
    typer.echo(f"{moved.id} is {moved.state.value}")


@app.command("list")
def list_(database: Database = None, config_file: ConfigFile = None) -> None:
    """Show every release."""
    table = Table("release", "state", "bytes", "SM3")
    with desk(database, config_file) as at:
        for one in at.sdks.all():
            digest = one.digest.hex().upper()[:16] if one.digest else ""
            table.add_row(str(one.id), one.state.value, f"{one.size or 0:,}", digest)
    Console().print(table)


@app.command()
def get(
    release: Release,
    to: Annotated[Path, typer.Option("--to", "-o", help="a new file")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Write the file of a published release."""
    with desk(database, config_file) as at:
        found, parts = at.sdks.file(parse_id(release))
        data = b"".join(parts)
    if sm3(data) != found.digest:
        raise FileError(f"the file of {found.id} in the database is damaged: its SM3 is another")
    write(to, data)
    typer.echo(f"{to}: {len(data):,} bytes, SM3 {sm3(data).hex().upper()}")
