"""ehc, the command: every sub-command stands here, every error leaves here."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ehc import __version__
from ehc.errors import EhcError, edge

COMMANDS = {
    "demo": "ehc.cli.demo:demo",
    "info": "ehc.cli.info:info",
    "keys": "ehc.cli.key_commands:app",
    "ceremony": "ehc.cli.ceremony:ceremony",
    "audit": "ehc.cli.audit:app",
    "sdf": "ehc.cli.sdf:app",
    "derive": "ehc.cli.derive:derive",
    "registry": "ehc.cli.registry:app",
    "scan": "ehc.cli.scan:scan",
    "reader": "ehc.cli.reader:app",
    "serve": "ehc.cli.serve:serve",
    "machine": "ehc.cli.machine:app",
    "admin": "ehc.cli.admin:app",
    "sdk": "ehc.cli.sdk:app",
    "index": "ehc.cli.index:app",
    "proxy": "ehc.cli.proxy:proxy",
    "migrate": "ehc.cli.database:migrate",
    "bench": "ehc.cli.bench:bench",
}
"""name -> module:function, or module:Typer for a group."""


class Commands(TyperGroup):
    """Imports a command when it is asked for: none pays for the libraries of the others."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        target = getattr(import_module(module), name)
        if not isinstance(target, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name)(target)
            target = single
        command = get_command(target)
        command.name = cmd_name
        return command


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)


def _version(asked: bool) -> None:
    if asked:
        print(f"ehc {__version__}")
        raise typer.Exit


@app.callback()
def ehc(
    as_: Annotated[
        Path | None,
        typer.Option("--as", metavar="FILE", help="Your credential, where a duty takes it (ehc keys enrol)."),
    ] = None,
    as_passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its passphrase is the first line of this file; else asked.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Version of ehc, and nothing else.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Electronic health card (电子健康卡): derive card ids, issue and check codes, read them, serve them."""
    if as_ is not None:
        import_module("ehc.cli.acting").act_as(as_, as_passphrase_file)


def main() -> None:
    """Entry point: an EhcError becomes one line on stderr and its exit code (ehc.errors.TABLE)."""
    try:
        app(prog_name="ehc")
    except EhcError as error:
        print(f"ehc: {error}", file=sys.stderr)
        sys.exit(edge(error).exit)
