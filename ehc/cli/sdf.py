"""`ehc sdf`: the GM/T 0018 machine in a folder (libehcsdf.so), and any vendor's library looked at."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ehc.crypto import sdf_device, wipe
from ehc.errors import InputError
from ehc.machine.gmt0018 import GROUPS, Device, Library, MachineError
from ehc.machine.gmt0018_vendors import VENDORS

app = typer.Typer(
    help="The crypto machine (密码机) of GM/T 0018: its folder, and vendors' libraries.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Home = Annotated[Path, typer.Option(envvar="EHC_SDF_HOME", help="The machine's folder.")]
Index = Annotated[int, typer.Option(min=1, max=1024, help="Place of the key.")]


@app.command()
def init(home: Home) -> None:
    """A new machine: an empty folder with a new storage key (device.key, or the file that EHC_SDF_KEY names)."""
    serial = sdf_device.create(home, datetime.now(UTC))
    typer.echo(
        f"machine {serial} in {home}\nits library: {sdf_device.LIBRARY}\nprograms find it by EHC_SDF_HOME={home}"
    )


@app.command("add-pair")
def add_pair(home: Home, index: Index) -> None:
    """SM2 key pairs for signing and encryption, behind a password that is asked for (or read from stdin)."""
    if sys.stdin.isatty():
        text = typer.prompt("password of the private keys", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    password = bytearray(text.encode())
    try:
        sdf_device.add_pair(home, index, password)
    finally:
        wipe(password)
    typer.echo(f"key pairs {index}: signing and encryption")


@app.command("add-kek")
def add_kek(home: Home, index: Index) -> None:
    """A new random key-encryption key (KEK), under which other keys come in and go out."""
    sdf_device.add_kek(home, index)
    typer.echo(f"KEK {index}")


@app.command()
def unlock(home: Home, index: Index) -> None:
    """Forgets the wrong passwords counted against key pairs: ten of them lock."""
    sdf_device.unlock_pair(home, index)
    typer.echo(f"key pairs {index} are not locked")


@app.command()
def report(
    path: Annotated[str, typer.Argument(help="A GM/T 0018 library; none: ours.")] = str(sdf_device.LIBRARY),
    vendor: Annotated[str, typer.Option(help=f"One of {', '.join(VENDORS)}.")] = "ehc",
) -> None:
    """What a library offers, what it lacks, and what its device says of itself."""
    library = Library(path, vendor)
    missing = library.missing()
    for group in GROUPS:
        lacking = missing.get(group, [])
        state = "yes" if not lacking else f"no: without {', '.join(f'SDF_{name}' for name in lacking)}"
        typer.echo(f"{group:26}{state}")
    try:
        device = Device(library)
    except MachineError as error:
        raise InputError(f"the library is whole as above, but its device does not open: {error}") from error
    info = device.info()
    device.close()
    typer.echo(f"{'device':26}{info.name.decode('ascii', 'replace')} {info.serial.decode('ascii', 'replace')}")
    typer.echo(f"{'issuer':26}{info.issuer.decode('utf-8', 'replace')}")
    typer.echo(f"{'edition of the standard':26}{info.standard}")
