"""ehc audit: read, verify and prove the audit log of the keyring (审计日志)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from ehc.cli.keys import Folder, keyring_folder, read_file
from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError, KeyringError
from ehc.keys.audit_verifier import Report, verify_proof
from ehc.keys.audit_verifier import verify as verify_log
from ehc.model import CST

app = typer.Typer(
    help="Read, verify and prove the audit log of the keyring (审计日志). Nothing here needs or opens a key.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Key = Annotated[
    str | None,
    typer.Option(
        "--public-key",
        metavar="HEX",
        help="The key that must have signed: 128 hex digits, from the ceremony's transcript.",
    ),
]


@app.command()
def verify(
    keyring: Folder = None,
    public_key: Key = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A checkpoint kept elsewhere: shows that nothing was rolled back since."),
    ] = None,
) -> None:
    """Say whether every record of the log is there, unchanged and in order; if not, which are not.

    Reads audit.log and audit.checkpoints in the folder of the keyring, or in a
    copy of them. Exit code 5 when anything is wrong.
    What both files cannot show is that both, and the keyring, were put back to an
    older state together: keep the output of `ehc audit checkpoint` elsewhere and
    name it with --against.

    \b
    Examples:
      ehc audit verify
      ehc audit verify --keyring /mnt/copy --public-key 4A1F…
      ehc audit verify --against checkpoint-2026-07-01.json
    """
    audit = keyring_folder(keyring).audit
    points = read_file(audit.checkpoints) if audit.checkpoints.exists() else b""
    points += b"".join(read_file(file).strip() + b"\n" for file in against or ())
    report = verify_log(read_file(audit.path), points, _accepts, _key(public_key))
    for found in report.findings:
        typer.echo(f"line {found.line}: {found.what}" if found.line else found.what)
    _say(report)
    if report.findings:
        raise KeyringError(f"audit log {audit.path} is not whole: {len(report.findings)} findings")


@app.command()
def show(
    keyring: Folder = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="So many records.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they are.")] = False,
) -> None:
    """Show the last records.

    \b
    Examples:
      ehc audit show
      ehc audit show -n 100 --json
    """
    lines = keyring_folder(keyring).audit.lines()[-last:]
    if as_json:
        typer.echo(b"".join(lines).decode(), nl=False)
        return
    table = Table("no.", "time (CST)", "who", "role", "act", "what")
    for line in lines:
        record = msgspec.json.decode(line)
        time = f"{datetime.fromtimestamp(record['at'], CST):%Y-%m-%d %H:%M:%S}"
        table.add_row(str(record["seq"]), time, record["who"], record["role"], record["act"], _what(record["what"]))
    Console().print(table)


@app.command()
def checkpoint(keyring: Folder = None) -> None:
    """Print the last signed checkpoint, to be kept elsewhere.

    \b
    Examples:
      ehc audit checkpoint > checkpoint-2026-07-01.json
    """
    path = keyring_folder(keyring).audit.checkpoints
    lines = read_file(path).splitlines()
    if not lines:
        raise InputError(f"{path} holds no checkpoint: the keyring needs a signing_key")
    typer.echo(lines[-1].decode())


@app.command()
def prove(
    seq: Annotated[int, typer.Argument(metavar="NO", help="Number of the record.")], keyring: Folder = None
) -> None:
    """Print a proof that a record stands in the log; it is checked without the log.

    \b
    Examples:
      ehc audit prove 17 > proof.json
    """
    typer.echo(msgspec.json.encode(keyring_folder(keyring).audit.prove(seq)).decode())


@app.command("check-proof")
def check_proof(file: Path, public_key: Key = None) -> None:
    """Check a proof that `ehc audit prove` made. Exit code 5 when it proves nothing.

    \b
    Examples:
      ehc audit check-proof proof.json --public-key 4A1F…
    """
    text = read_file(file)
    if wrong := verify_proof(text.strip(), _accepts, _key(public_key)):
        raise KeyringError(f"{file}: {wrong[0]}")
    proved = msgspec.json.decode(text)
    typer.echo(f"in the log of {proved['checkpoint']['size']} records: {proved['line'].strip()}")
    if public_key is None:
        typer.echo(f"signed by {_fingerprint(proved['checkpoint']['public_key'])}: compare it with the ceremony's")


def _say(report: Report) -> None:
    typer.echo(
        f"{report.records} records, {report.checkpoints} checkpoints that fit, the last over {report.covered} records"
    )
    if report.unfinished:
        typer.echo(f"{report.unfinished} bytes after the last record: a crash left them, they were never acknowledged")
    for key in sorted(report.keys):
        typer.echo(f"signed by {_fingerprint(key)}, public key {key}")


def _accepts(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        return len(signature) == 64 and PublicKey(public_key).verify(signature, message)
    except InputError:
        return False


def _key(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes(PublicKey(bytes.fromhex(text)))
    except ValueError:
        raise InputError("--public-key: 128 hex digits of a point of SM2's curve") from None


def _fingerprint(key: str) -> str:
    return PublicKey(bytes.fromhex(key)).fingerprint


def _what(what: dict[str, object]) -> str:
    deeds = what.get("deeds")
    if not isinstance(deeds, list):
        return ", ".join(f"{name} {value}" for name, value in what.items())
    shown = [
        f"{operation} {purpose} {version or ''} {detail}".strip()
        for operation, purpose, version, _, detail, *_ in deeds
    ]
    return f"writing {what.get('counter')}" + "".join(f"\n{one}" for one in shown)
