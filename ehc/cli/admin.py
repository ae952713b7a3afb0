"""ehc admin: who may use the service; copies of its database."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from ehc.access.caller import KEY_BYTES, RegisteredCaller, Scope, digest_of, key_of, new_caller
from ehc.cli import apps, operators
from ehc.cli.database import ConfigFile, Database, backup, opened, restore, settings_of
from ehc.model import CST

app = typer.Typer(
    help="Administer the service: who may use it, copies of its database.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
caller = typer.Typer(
    help="Callers: the apps and institutions that use the service, each with a key, scopes and a rate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(caller, name="caller")
app.add_typer(apps.app, name="app")
app.add_typer(operators.app, name="operator")
app.command()(backup)
app.command()(restore)

Name = Annotated[str, typer.Argument(help="unique for ever; stands in logs")]


@caller.command()
def add(
    name: Name,
    *,
    scope: Annotated[list[str], typer.Option(help=f"what it may do, several times: {', '.join(Scope)}")],
    institution: Annotated[str | None, typer.Option(help="the only one it speaks for; else any")] = None,
    rate: Annotated[int | None, typer.Option(help="requests a second; else as the settings say")] = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Register a caller and print its key: now, and never again.

    The first caller closes the service: from the next second on everybody needs
    a key.

    \b
    Examples:
      ehc admin caller add clinic-desk --scope verify --institution H440100001
      ehc admin caller add city-app --scope codes --scope register --rate 500
    """
    new = new_caller(name, scope, institution, rate)
    with opened(settings_of(database, config_file)) as store:
        key = key_of(os.urandom(KEY_BYTES))
        store.callers.add(new, digest_of(key), int(time.time()))
    _print_key(key)


@caller.command()
def rotate(
    name: Name,
    overlap: Annotated[int, typer.Option(min=0, help="seconds for which the old key goes on being accepted")] = 86_400,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Give a caller another key and print it; the old one ends after the overlap.

    \b
    Examples:
      ehc admin caller rotate city-app
      ehc admin caller rotate city-app --overlap 0
    """
    with opened(settings_of(database, config_file)) as store:
        key, now = key_of(os.urandom(KEY_BYTES)), int(time.time())
        store.callers.rotate(name, digest_of(key), now, now + overlap)
    _print_key(key)


@caller.command()
def revoke(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """Accept no key of this caller any more, from the next second on. It cannot be undone: add another caller."""
    with opened(settings_of(database, config_file)) as store:
        store.callers.revoke(name, int(time.time()))
    typer.echo(f"{name} is revoked")


@caller.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Show every caller: scopes, institution, rate, how many keys are accepted; never a key."""
    with opened(settings_of(database, config_file)) as store:
        rows = [_row(one) for one in store.callers.all(int(time.time()))]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        Console().print(_table(rows))


def _print_key(key: str) -> None:
    typer.echo(key)
    typer.echo("this is the only time that the key is shown: it is kept as a digest alone", err=True)


def _row(one: RegisteredCaller) -> dict[str, Any]:
    return {
        "name": one.caller.name,
        "scopes": sorted(one.caller.scopes),
        "institution": one.caller.institution,
        "rate": one.caller.rate,
        "keys": one.keys,
        "created_at": datetime.fromtimestamp(one.created_at, CST),
        "revoked_at": None if one.revoked_at is None else datetime.fromtimestamp(one.revoked_at, CST),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("name", "scopes", "institution", "rate", "keys", "created (CST)", "revoked (CST)")
    for row in rows:
        times = [f"{when:%Y-%m-%d %H:%M}" if when else "" for when in (row["created_at"], row["revoked_at"])]
        shown = [row["name"], " ".join(row["scopes"]), row["institution"] or "", row["rate"] or "", row["keys"]]
        table.add_row(*map(str, shown), *times, style="dim" if row["revoked_at"] else None)
    return table
