"""ehc migrate, ehc admin backup, ehc admin restore: the database as a whole; how `ehc admin` opens it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ehc import config
from ehc.config import Settings
from ehc.wiring.stores import Stores, back_up, migrate_database, open_store
from ehc.wiring.stores import restore as restore_store

Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="sqlite:////folder/file.db or postgresql://user@host/name; else EHC_DATABASE."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="settings, a TOML file")]

NOT_IN_IT = "the keyring is not in it: keep copies of keyring and key file elsewhere (ehc keys)"


def migrate(database: Database = None, config_file: ConfigFile = None) -> None:
    """Bring the database's schema up to this program's.

    A database that is there already keeps what it holds; one that was made by a
    newer program is left alone. `ehc serve` does the same when it starts: this
    is for deployments where the service may not change the schema.

    \b
    Examples:
      ehc migrate
      ehc migrate --database postgresql://ehc@db.example/ehc
    """
    typer.echo(f"the schema stands at {migrate_database(settings_of(database, config_file))}")


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="a new file")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Copy the database into a file, while the service runs, and read the copy again.

    The keyring is not in it.

    \b
    Examples:
      ehc admin backup /backup/ehc-2026-01-31.db
      ehc admin backup --database postgresql://ehc@db.example/ehc /backup/ehc.zip
    """
    copied = back_up(settings_of(database, config_file), target)
    typer.echo(f"{target}: {copied.accounts:,} accounts, {copied.bytes:,} bytes, read again and whole")
    typer.echo(NOT_IN_IT, err=True)


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="a file of ehc admin backup")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Fill an empty database from a copy. One that holds something is left alone.

    \b
    Examples:
      ehc admin restore /backup/ehc-2026-01-31.db
      createdb ehc2 && ehc admin restore --database postgresql:///ehc2 /backup/ehc.zip
    """
    copied = restore_store(settings_of(database, config_file), source)
    typer.echo(f"{copied.accounts:,} accounts restored; the schema is up to date")
    typer.echo("now the keyring that belongs to them: card ids and codes are made under its keys", err=True)


def settings_of(database: str | None, config_file: Path | None) -> Settings:
    settings = config.load(os.environ, config_file)
    return msgspec.structs.replace(settings, database=database) if database else settings


@contextmanager
def opened(settings: Settings) -> Iterator[Stores]:
    """Its stores, closed at the end."""
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()
