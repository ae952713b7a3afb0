"""ehc keys: make, fill and show the sealed keyring. Key bytes come from files, stdin or a hidden prompt, never argv."""

from __future__ import annotations

import getpass
import os
import sys
import time
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ehc import config
from ehc.crypto import KeyHandle, sm4_ecb_encrypt, wipe
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import FileError, InputError, KeyringError, Unavailable
from ehc.keys.keyring import KEY_BYTES, Entry, Keyring, KeyState, Purpose, Usage, key_of_hex, published_sample
from ehc.model import CST
from ehc.store.keyring_folder import KeyringFolder, Passphrase
from ehc.wiring.keys import keyring_folder as keyring_folder_

app = typer.Typer(
    help="Make, fill and show the sealed keyring (密钥管理). Keys never stand in arguments, environment or output.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Folder = Annotated[
    Path | None,
    typer.Option(
        "--keyring", metavar="DIR", help="Folder of the keyring; else EHC_KEYRING, else keyring/ in EHC_HOME."
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The passphrase is the first line of this file (- is stdin); else it is asked."),
]
STDIN = Path("-")
_NEW_WAY_OUT = "give the passphrase with --passphrase-file FILE, or leave --passphrase out to use a key file"


@app.command()
def init(
    keyring: Folder = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Seal under a passphrase, asked twice, instead of a key file.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    empty: Annotated[bool, typer.Option("--empty", help="Make no keys: a province's own are imported next.")] = False,
) -> None:
    """Make a keyring with a new random security_key and protection_key, and a signing_key for its audit log.

    Without a passphrase it is sealed under keyring.key, 32 random bytes in a
    file that only you may read (mode 0600). Whoever has both files has the keys;
    whoever loses one has none: keep a copy of each, in different places.
    An existing keyring is never replaced.

    \b
    Examples:
      ehc keys init
      ehc keys init --keyring /srv/ehc/keyring --passphrase
      pass show ehc | ehc keys init --passphrase-file -
      ehc keys init --empty
    """
    folder = keyring_folder(keyring)
    word = (
        read_passphrase(passphrase_file)
        if passphrase_file
        else ask_new_passphrase(_NEW_WAY_OUT)
        if passphrase
        else None
    )
    with Keyring() as new:
        for purpose in () if empty else (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY):
            add_random(new, purpose, int(time.time()))
        unsigned = "" if empty else _add_signing_key(new)
        folder.create(new, word)
    for entry in new.entries:
        typer.echo(f"{entry.purpose} version {entry.version}, check value {entry.check_value}")
    typer.echo(f"sealed in {folder.sealed}")
    if word is None:
        typer.echo(f"opens with {folder.key_file} (mode 0600): keep a copy of it apart from the keyring")
    if unsigned:
        typer.echo(f"warning: no signing_key was made, and the audit log goes without signatures: {unsigned}", err=True)


@app.command("import")
def import_(
    purpose: Annotated[
        Purpose, typer.Option(metavar="PURPOSE", help="security_key (安全密钥) or protection_key (保护密钥).")
    ],
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The key as 32 hex digits (- is stdin); else stdin, or a hidden prompt."),
    ] = None,
    check_value: Annotated[
        str | None,
        typer.Option(
            metavar="HEX", help="The key check value you were given; nothing is stored if the key has another."
        ),
    ] = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Add an existing key as the next version of its purpose; it becomes the active one.

    The version before it is deactivated: it makes nothing any more, and still
    checks the codes it made. The keyring must be there: `ehc keys init --empty`
    makes one that holds nothing but what you import.
    The check value is the beginning of SM4 of the zero block, 6 to 32 hex digits.

    \b
    Examples:
      ehc keys import --purpose security_key
      ehc keys import --purpose security_key --key-file k.hex --check-value 1A2B3C
      gpg -d k.hex.gpg | ehc keys import --purpose protection_key
    """
    if passphrase_file == STDIN and (key_file == STDIN or (key_file is None and not sys.stdin.isatty())):
        raise typer.BadParameter("stdin cannot give both the key and the passphrase: use a file for one of them")
    folder, raw = keyring_folder(keyring), read_key(key_file)
    try:
        _compare(KeyHandle(raw, purpose.value), check_value)
        sample = published_sample(raw)
        with folder.change(passphrase_source(passphrase_file)) as content:
            entry = content.add(purpose, raw, int(time.time()), how="import")
    finally:
        wipe(raw)
    if sample:
        typer.echo("warning: this is a sample key of public documents, which everybody has: for tests only", err=True)
    typer.echo(f"{purpose} version {entry.version} is active, check value {entry.check_value}")
    if entry.version > 1:
        typer.echo(f"{purpose} version {entry.version - 1} is deactivated")
    typer.echo(f"sealed in {folder.sealed}")


@app.command("list")
def list_(
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Show purpose, version, state, check value and time of making of every key; never a key itself.

    \b
    Examples:
      ehc keys list
      ehc keys list --keyring /srv/ehc/keyring --json
    """
    with keyring_folder(keyring).open(passphrase_source(passphrase_file)) as content:
        rows = [_row(entry) for purpose in Purpose for entry in content.entries if entry.purpose is purpose]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        _print_table(rows)


def ask_passphrase() -> str:
    """The passphrase, from the terminal and unseen. Raises KeyringError when there is no terminal."""
    return ask("Passphrase of the keyring: ", "give the passphrase with --passphrase-file FILE")


def keyring_folder(keyring: Path | None) -> KeyringFolder:
    settings = config.load(os.environ)
    return keyring_folder_(msgspec.structs.replace(settings, keyring=str(keyring)) if keyring else settings)


def passphrase_source(file: Path | None) -> Passphrase:
    """Reads the first line of the file when called; without a file, asks on the terminal."""
    return (lambda: read_passphrase(file)) if file else ask_passphrase


def ask(prompt: str, way_out: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # what getpass says before it would show the answer
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError):
            raise KeyringError(f"there is no terminal to ask on: {way_out}") from None


def ask_new_passphrase(way_out: str, whose: str = "") -> str:
    word = ask(f"New passphrase{whose}: ", way_out)
    if ask("Again: ", way_out) != word:
        raise InputError("the two passphrases differ: nothing was made")
    return word


def read_passphrase(file: Path) -> str:
    text = _read_secret(file)
    try:
        return text.partition(b"\n")[0].removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise FileError(f"passphrase file {file} is not UTF-8") from None
    finally:
        wipe(text)


def read_key(file: Path | None) -> bytearray:
    if file is None and sys.stdin.isatty():
        text = bytearray(ask("Key, 32 hex digits: ", "give the key with --key-file FILE"), "utf-8")
    else:
        text = _read_secret(file or STDIN)
    try:
        return key_of_hex(text)
    finally:
        wipe(text)


def _read_secret(file: Path) -> bytearray:
    """At most 4096 bytes of a file or stdin, unbuffered, so that there is one copy and it can be wiped."""
    text, size = bytearray(4096), 0
    try:
        with open(0 if file == STDIN else file, "rb", buffering=0, closefd=file != STDIN) as source:
            while got := source.readinto(memoryview(text)[size:]):
                size += got
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error
    del text[size:]
    return text


def read_file(file: Path) -> bytes:
    """What is no secret. Raises FileError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error


def add_random(
    keyring: Keyring,
    purpose: Purpose,
    now: int,
    state: KeyState = KeyState.ACTIVE,
    usages: Iterable[Usage] | None = None,
) -> Entry:
    """A new random key as the next version of its purpose. Raises Unavailable when there is no library for SM2."""
    raw = bytearray(os.urandom(KEY_BYTES))
    if purpose is Purpose.SIGNING_KEY:
        raw = bytearray(purpose.size)
        PrivateKey.generate().write_raw(raw)
    try:
        return keyring.add(purpose, raw, now, state=state, usages=usages)
    finally:
        wipe(raw)


def _add_signing_key(keyring: Keyring) -> str:
    """Empty, or why there is none."""
    try:
        add_random(keyring, Purpose.SIGNING_KEY, int(time.time()))
    except Unavailable as error:
        return str(error)
    return ""


def _compare(key: KeyHandle, given: str | None) -> None:
    if given is None:
        return
    value = sm4_ecb_encrypt(key, bytes(16)).hex().upper()
    if len(given) < len(key.check_value) or not value.startswith(given.upper()):
        raise InputError(f"check value: the key has {key.check_value}, not the given one: nothing was stored")


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "purpose": entry.purpose,
        "version": entry.version,
        "state": entry.state,
        "check_value": entry.check_value,
        "digest_value": entry.digest_value,
        "created_at": datetime.fromtimestamp(entry.created_at, CST),
    }


def _print_table(rows: Iterable[dict[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415  most who take their options from this module print no table
    from rich.table import Table  # noqa: PLC0415

    table = Table("purpose", "version", "state", "check value", "created (CST)")
    for row in rows:
        *columns, _, created = row.values()  # the second check value stands in JSON: the table fits 80 columns
        style = None if row["state"] == KeyState.ACTIVE else "dim"
        table.add_row(*map(str, columns), f"{created:%Y-%m-%d %H:%M:%S}", style=style)
    Console().print(table)
