"""`ehc sdf`: the GM/T 0018 machine in a folder (libehcsdf.so), and any vendor's library looked at."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ehc.cli.keys import Folder, PassphraseFile, keyring_folder, passphrase_source
from ehc.crypto import sdf_device, wipe
from ehc.crypto.sm2 import PublicKey
from ehc.errors import InputError
from ehc.keys.duties import Duty
from ehc.keys.life import Purpose
from ehc.machine.gmt0018 import GROUPS, Device, Library, MachineError
from ehc.machine.gmt0018_kept import PURPOSES, KeptKeys, enclosed, generated, read_kept, write_kept
from ehc.machine.gmt0018_vendors import VENDORS
from ehc.store.keyring_folder import process_user

app = typer.Typer(
    help="The crypto machine (密码机) of GM/T 0018: its folder, and vendors' libraries.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Home = Annotated[Path, typer.Option(envvar="EHC_SDF_HOME", help="The machine's folder.")]
LibraryPath = Annotated[str, typer.Option(metavar="PATH", help="The machine's GM/T 0018 library; none: ours.")]
VendorName = Annotated[str, typer.Option(help=f"One of {', '.join(VENDORS)}.")]
MachineKeysFile = Annotated[Path, typer.Option(metavar="FILE", help="The file; what the setting machine_keys names.")]
Index = Annotated[int, typer.Option(min=1, max=1024, help="Place of the key.")]


def _administer(keyring: Path | None, passphrase_file: Path | None, act: str, **what: object) -> None:
    """Before the act: whose duty it is, where the keyring says who is in charge, and the record in its audit log."""
    folder, who = keyring_folder(keyring), process_user()
    if folder.sealed.exists():
        with folder.open(passphrase_source(passphrase_file)) as ring:
            who = folder.require(Duty.KEYS, ring)
    folder.audit.append(f"machine.{act}", what, who)


@app.command()
def init(home: Home, keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """A new machine: an empty folder with a new storage key (device.key, or the file that EHC_SDF_KEY names)."""
    _administer(keyring, passphrase_file, "create", home=str(home))
    serial = sdf_device.create(home, datetime.now(UTC))
    typer.echo(
        f"machine {serial} in {home}\nits library: {sdf_device.LIBRARY}\nprograms find it by EHC_SDF_HOME={home}"
    )


@app.command("add-pair")
def add_pair(home: Home, index: Index, keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """SM2 key pairs for signing and encryption, behind a password that is asked for (or read from stdin)."""
    if sys.stdin.isatty():
        text = typer.prompt("password of the private keys", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    password = bytearray(text.encode())
    try:
        _administer(keyring, passphrase_file, "generate", home=str(home), pair=index)
        sdf_device.add_pair(home, index, password)
    finally:
        wipe(password)
    typer.echo(f"key pairs {index}: signing and encryption")


@app.command("add-kek")
def add_kek(home: Home, index: Index, keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """A new random key-encryption key (KEK), under which other keys come in and go out."""
    _administer(keyring, passphrase_file, "generate", home=str(home), kek=index)
    sdf_device.add_kek(home, index)
    typer.echo(f"KEK {index}")


@app.command()
def unlock(home: Home, index: Index, keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """Forgets the wrong passwords counted against key pairs: ten of them lock."""
    _administer(keyring, passphrase_file, "unlock", home=str(home), pair=index)
    sdf_device.unlock_pair(home, index)
    typer.echo(f"key pairs {index} are not locked")


@app.command()
def enclose(
    *,
    pair: Annotated[int, typer.Option(min=1, help="Place of the machine's SM2 encryption pair that opens them.")],
    machine_keys: MachineKeysFile,
    library: LibraryPath = str(sdf_device.LIBRARY),
    vendor: VendorName = "ehc",
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Give the keys of the keyring to a machine: a file that it alone opens (setting machine_keys).

    Do it again whenever the keyring was changed: a service takes the file over
    within a second. What is in the file stays sealed as it is; what is new must be
    in a state that lets it leave, and that stands in the audit log first.

    \b
    Examples:
      ehc sdf enclose --pair 1 --machine-keys machine-keys.json
      ehc sdf enclose --library /opt/vendor/libsdf.so --vendor standard2012 --pair 1 --machine-keys machine-keys.json
    """
    point = _device(library, vendor).session().public_key(pair, "Enc")
    before = read_kept(machine_keys) if machine_keys.exists() else None
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        keys, fresh = enclosed(ring, pair, point, before)
        for entry in fresh:
            ring.note("export", entry, f"to the machine with encryption key {PublicKey(point).fingerprint}")
    write_kept(machine_keys, keys)
    typer.echo(f"{machine_keys}: {len(keys.keys)} keys, {len(fresh)} of them new, for {PublicKey(point).fingerprint}")


@app.command()
def generate(
    purpose: Annotated[Purpose, typer.Argument(help=f"One of {', '.join(PURPOSES)}.")],
    *,
    kek: Annotated[int, typer.Option(min=1, help="Place of the machine's KEK that the key is kept under.")],
    machine_keys: MachineKeysFile,
    library: LibraryPath = str(sdf_device.LIBRARY),
    vendor: VendorName = "ehc",
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a key inside the machine, which it never leaves but wrapped: the next version, active.

    \b
    Examples:
      ehc sdf generate security_key --kek 1 --machine-keys machine-keys.json
    """
    if purpose not in PURPOSES:
        raise InputError(f"{purpose}: a machine signs with pairs of its own (setting machine_pairs)")
    before = read_kept(machine_keys) if machine_keys.exists() else KeptKeys(keys=())
    session = _device(library, vendor).session()
    wrapped, handle = session.generate_key(kek)
    keys, made = generated(before, purpose, kek, wrapped, session.ecb(handle, bytes(16))[:3].hex().upper())
    what = {"purpose": purpose, "version": made.version, "check_value": made.check_value, "kek": kek}
    _administer(keyring, passphrase_file, "generate", **what)
    write_kept(machine_keys, keys)
    typer.echo(f"{purpose} version {made.version}, check value {made.check_value}, wrapped in {machine_keys}")


def _device(library: str, vendor: str) -> Device:
    return Device(Library(library, vendor))


@app.command()
def report(
    path: Annotated[str, typer.Argument(help="A GM/T 0018 library; none: ours.")] = str(sdf_device.LIBRARY),
    vendor: VendorName = "ehc",
) -> None:
    """What a library offers, what it lacks, and what its device says of itself."""
    library = Library(path, vendor)
    missing = library.missing()
    for group in GROUPS:
        lacking = missing.get(group, [])
        state = "yes" if not lacking else f"no: without {', '.join(f'SDF_{name}' for name in lacking)}"
        typer.echo(f"{group:30}{state}")
    try:
        device = Device(library)
    except MachineError as error:
        raise InputError(f"the library is whole as above, but its device does not open: {error}") from error
    info = device.info()
    device.close()
    typer.echo(f"{'device':30}{info.name.decode('ascii', 'replace')} {info.serial.decode('ascii', 'replace')}")
    typer.echo(f"{'issuer':30}{info.issuer.decode('utf-8', 'replace')}")
    typer.echo(f"{'edition of the standard':30}{info.standard}")
