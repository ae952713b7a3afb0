"""ehc sdk debug: why a request's signature is not right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ehc.cli.database import ConfigFile, Database
from ehc.cli.files import read
from ehc.cli.keys import PassphraseFile
from ehc.cli.sdk_desk import desk
from ehc.crypto import http_signature as http
from ehc.crypto.http_signature import Message
from ehc.errors import FileError
from ehc.sdkauth.debugging import NAMES, Explained, explain


def debug(
    request: Annotated[
        Path, typer.Argument(help="the request as it was sent: request line, headers, empty line, body")
    ],
    *,
    base: Annotated[Path | None, typer.Option(help="what the app signed: where it differs is shown")] = None,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Show what should have been signed, and where the app's own text differs. It never shows a secret.

    \b
    Examples:
      ehc sdk debug request.http
      ehc sdk debug request.http --base signed.txt
    """
    message, body = _request(read(request, "request file"))
    theirs = None if base is None else read(base, "base file").decode("utf-8", "replace")
    with desk(database, config_file, passphrase_file, keys=True) as at:
        known, window = at.apps.admission(at.now), at.settings.sign_window_seconds
        found = explain(known, message, body, at.now, window, theirs=theirs)
    _print(found)
    if not all(step.right for step in found.steps):
        raise typer.Exit(9)


def _request(raw: bytes) -> tuple[Message, bytes]:
    """Lines may end with LF alone. Raises FileError."""
    head, _, body = (
        raw.replace(b"\r\n", b"\n", 1).partition(b"\n\n") if b"\r\n\r\n" not in raw else raw.partition(b"\r\n\r\n")
    )
    lines = head.decode("latin-1").replace("\r", "").split("\n")
    words = lines[0].split(" ")
    if len(words) < 2:
        raise FileError("request file: the first line is METHOD TARGET, such as POST /v1/verify HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise FileError(f"request file: {line[:40]!r} is no header")
        name = name.strip().lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    authority, target = http.split(words[1])
    return Message(words[0].upper(), headers.get("host", authority), target, headers), body


def _print(found: Explained) -> None:
    for step in found.steps:
        typer.echo(
            f"{step.number} {NAMES[step.number]:10} {'right' if step.right else 'WRONG'}  {step.detail}".rstrip()
        )
    if found.base is not None:
        typer.echo("\nto be signed (lines end with LF, the last one with nothing):")
        typer.echo(found.base)
    if found.difference is not None:
        line, column, ours, theirs = found.difference
        typer.echo(f"\nfirst difference: line {line}, column {column}\n  expected {ours!r}\n  signed   {theirs!r}")
    for hint in found.hints:
        typer.echo(f"hint: {hint}")
