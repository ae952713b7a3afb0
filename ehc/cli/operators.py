"""ehc admin operator: the people who work in the console."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from ehc.access.operator import Deed, Operator, Role, new_operator
from ehc.access.password import ONE_TIME_BYTES, SALT_BYTES, hash_of, one_time_password
from ehc.access.sign_in import give_password
from ehc.cli.database import ConfigFile, Database, opened, settings_of
from ehc.model import CST
from ehc.wiring.stores import Stores

app = typer.Typer(
    help="Operators: the people who work in the console (/console), each in one of three roles.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Argument(help="unique for ever; stands in histories and looks")]

SHELL = "shell"
"""In the record of deeds: done here, by somebody who may use this machine."""


@app.command()
def add(
    name: Name,
    *,
    role: Annotated[str, typer.Option(help=f"one of {', '.join(Role)}")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Register an operator and print a password that serves once, within a week: then they choose their own.

    \b
    Examples:
      ehc admin operator add zhang.wei --role security
      ehc admin operator add li.na --role audit
    """
    now = int(time.time())
    new, (one_time, salt) = new_operator(name, role, now), _random()
    with opened(settings_of(database, config_file)) as store:
        _record(store, "add_operator", name)
        store.operators.add(new, hash_of(one_time, salt))
    _print(one_time)


@app.command()
def password(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """Give an operator another password that serves once, and end their sessions."""
    one_time, salt = _random()
    with opened(settings_of(database, config_file)) as store:
        _record(store, "give_password", name)
        give_password(store.operators, name, one_time, salt, int(time.time()))
    _print(one_time)


@app.command()
def unbind(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """Remove an operator's second factor (a lost phone), and end their sessions: they bind another one."""
    with opened(settings_of(database, config_file)) as store:
        _record(store, "unbind_operator", name)
        store.operators.unbind(name)
    typer.echo(f"{name} has no second factor")


@app.command()
def disable(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """End an operator's sessions and let them sign in no more."""
    _set_enabled(name, False, database, config_file)


@app.command()
def enable(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """Let a disabled operator sign in again."""
    _set_enabled(name, True, database, config_file)


def _set_enabled(name: str, enabled: bool, database: str | None, config_file: Path | None) -> None:
    with opened(settings_of(database, config_file)) as store:
        _record(store, "enable_operator" if enabled else "disable_operator", name)
        store.operators.set_enabled(name, enabled, int(time.time()))
    typer.echo(f"{name} is {'enabled' if enabled else 'disabled'}")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Show every operator: role, when they last signed in; never a password."""
    with opened(settings_of(database, config_file)) as store:
        rows = [_row(one) for one in store.operators.all()]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        Console().print(_table(rows))


def _random() -> tuple[str, bytes]:
    return one_time_password(os.urandom(ONE_TIME_BYTES)), os.urandom(SALT_BYTES)


def _record(store: Stores, what: str, name: str) -> None:
    store.deeds.record(Deed(int(time.time()), SHELL, what, name))


def _print(one_time: str) -> None:
    typer.echo(one_time)
    typer.echo("it is shown once, serves once, and ends in a week: they choose their own at /console", err=True)


def _row(one: Operator) -> dict[str, Any]:
    times = {
        "created_at": one.created_at,
        "signed_in_at": one.signed_in_at,
        "second_factor_at": one.second_factor_at,
        "one_time_until": one.one_time_until,
        "disabled_at": one.disabled_at,
    }
    shown = {name: None if at is None else datetime.fromtimestamp(at, CST) for name, at in times.items()}
    return {"name": one.name, "role": one.role.value} | shown


def _table(rows: list[dict[str, Any]]) -> Table:
    names = ("created_at", "signed_in_at", "second_factor_at", "one_time_until", "disabled_at")
    table = Table(
        "name", "role", "created (CST)", "last signed in", "second factor since", "one-time password until", "disabled"
    )
    for row in rows:
        times = [f"{row[name]:%Y-%m-%d %H:%M}" if row[name] else "" for name in names]
        table.add_row(row["name"], row["role"], *times, style="dim" if row["disabled_at"] else None)
    return table
