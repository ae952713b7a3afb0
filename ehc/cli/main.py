"""ehc, the command: every sub-command stands here, every error leaves here."""

from __future__ import annotations

import sys

import typer

from ehc.cli import demo, derive, info, keys, scan, serve
from ehc.errors import EhcError, edge

app = typer.Typer(
    help="Electronic health card (电子健康卡): derive card ids, issue and check codes, read them, serve them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(derive.derive)
app.add_typer(keys.app, name="keys")
app.command()(scan.scan)
app.command()(serve.serve)
app.command()(info.info)


def main() -> None:
    """Entry point: an EhcError becomes one line on stderr and its exit code (ehc.errors.TABLE)."""
    try:
        app()
    except EhcError as error:
        print(f"ehc: {error}", file=sys.stderr)
        sys.exit(edge(error).exit)
