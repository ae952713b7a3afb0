"""ehc keys backup, drill, restore, archive, recall: copies that open with M of N shares (密钥备份, 恢复, 归档)."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Annotated

import typer

from ehc.cli.key_states import PurposeOf, VersionOf
from ehc.cli.keys import Folder, PassphraseFile, app, ask_new_passphrase, keyring_folder, passphrase_source, read_file
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.errors import Conflict, FileError, InputError
from ehc.keys.backup import back_up, open_backup, read_manifest, read_share, write_share
from ehc.keys.keyring import Keyring, Operation, Purpose
from ehc.keys.shares import Share
from ehc.store.keyring_folder import KeyringFolder, Passphrase

ShareCount = Annotated[
    str, typer.Option("--shares", metavar="M/N", help="N shares are made, any M of them open the copy: 3/5.")
]
Into = Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, for the copy and its shares.")]
Copy = Annotated[Path, typer.Argument(metavar="BACKUP")]
Shares = Annotated[list[Path], typer.Argument(metavar="SHARE...")]


@app.command()
def backup(into: Into, shares: ShareCount, keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """Copy the keyring, sealed under a key that exists only in shares. Every way to open it is tried first.

    Give each share-K.json to another custodian, on a medium of its own, and
    remove it here; backup.sealed opens with M of them.

    \b
    Examples:
      ehc keys backup /media/backup --shares 3/5
    """
    copy_keyring(keyring_folder(keyring), passphrase_source(passphrase_file), into, shares)
    typer.echo(f"{into}/backup.sealed opens with {shares.replace('/', ' of ')} shares: give each to another custodian")


@app.command()
def drill(copy: Copy, shares: Shares, keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """Try whether a backup can be restored: open it with these shares, compare it with the keyring, store nothing.

    \b
    Examples:
      ehc keys drill backup.sealed share-1.json share-4.json share-5.json
    """
    drilled(keyring_folder(keyring), passphrase_source(passphrase_file), copy, shares)
    manifest = read_manifest(read_file(copy))
    by = PublicKey(manifest.public_key).fingerprint if manifest.public_key else "nobody"
    typer.echo(f"{copy} opens with these {len(shares)} shares and holds the keys of the keyring; signed by {by}")


@app.command()
def restore(
    copy: Copy,
    shares: Shares,
    keyring: Folder = None,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Seal under a passphrase, asked twice.")] = False,
) -> None:
    """Make a keyring of a backup, where there is none.

    \b
    Examples:
      ehc keys restore backup.sealed share-*.json --keyring /srv/ehc/keyring
    """
    folder = keyring_folder(keyring)
    word = ask_new_passphrase("leave --passphrase out to use a key file") if passphrase else None
    with open_backup(read_file(copy), _shares(shares)) as ring:
        for entry in ring.entries:
            ring.note("restore", entry, entry.state)
        folder.create(ring, word)
    typer.echo(f"{len(ring.entries)} keys restored into {folder.sealed}")


@app.command()
def archive(
    *,
    purpose: PurposeOf,
    version: VersionOf,
    into: Into,
    shares: ShareCount,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Move a deactivated or compromised version out of the keyring into a copy that M of N shares open.

    \b
    Examples:
      ehc keys archive protection_key 1 /media/archive --shares 2/3
    """
    folder, source = keyring_folder(keyring), passphrase_source(passphrase_file)
    copy_keyring(folder, source, into, shares, (purpose, version))
    with folder.change(source) as ring:  # only now: the copy is on the disk
        ring.step(purpose, version, Operation.ARCHIVE, int(time.time()), into.name)
    typer.echo(f"{purpose} version {version} is archived in {into}/backup.sealed, and no longer in the keyring")


@app.command()
def recall(
    *,
    purpose: PurposeOf,
    version: VersionOf,
    copy: Copy,
    shares: Shares,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Take an archived version back into the keyring, in the state it had.

    \b
    Examples:
      ehc keys recall protection_key 1 backup.sealed share-1.json share-3.json
    """
    with (
        open_backup(read_file(copy), _shares(shares)) as archived,
        keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring,
    ):
        entry = ring.restore(purpose, version, archived.entry(purpose, version).raw, int(time.time()))
    typer.echo(f"{entry.named()} is {entry.state} again")


def copy_keyring(
    folder: KeyringFolder, passphrase: Passphrase, into: Path, shares: str, only: tuple[Purpose, int] | None = None
) -> None:
    """Written into the audit log first, then to the disk. only: this version alone. Raises InputError, FileError."""
    needed, count = _numbers(shares)
    if into.exists() and any(into.iterdir()):
        raise FileError(f"{into} is not empty: name a new folder")
    with folder.change(passphrase) as ring:
        part = ring
        if only:
            ring.require(ring.entry(*only), Operation.ARCHIVE)
            part = Keyring([ring.entry(*only)])
        signers = [(e.public_key, PrivateKey(e.raw).sign) for e in ring.usable(Purpose.SIGNING_KEY, Operation.SIGN)]
        signer = signers[0] if signers else None
        sealed, made = back_up(part, needed, count, now=int(time.time()), random=os.urandom, signer=signer)
        for entry in part.entries:
            ring.note("backup", entry, f"{needed} of {count} shares")
    manifest = read_manifest(sealed)
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    for share in made:
        write_new(into / f"share-{share.index}.json", write_share(share, manifest))
        share.wipe()
    write_new(into / "backup.sealed", sealed)


def drilled(folder: KeyringFolder, passphrase: Passphrase, copy: Path, shares: list[Path]) -> None:
    """Raises Conflict when the backup opens and is not what the keyring holds."""
    with open_backup(read_file(copy), _shares(shares)) as ring, folder.open(passphrase) as present:
        held = {(e.purpose, e.version): bytes(e.digest_value, "ascii") for e in ring.entries}
        now = {(e.purpose, e.version): bytes(e.digest_value, "ascii") for e in present.entries}
    missing = [f"{purpose} version {version}" for (purpose, version) in now if (purpose, version) not in held]
    other = [key for key, value in held.items() if now.get(key) != value]
    if missing or other:
        raise Conflict(f"the backup opens and is not the keyring of today; missing: {', '.join(missing) or 'nothing'}")


def write_new(path: Path, content: bytes) -> None:
    """A file of the owner's alone that was not there, on the disk when this returns."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(fd)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error


def _shares(files: list[Path]) -> list[Share]:
    return [read_share(read_file(file)) for file in files]


def _numbers(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
    if not found:
        raise InputError("--shares M/N, such as 3/5: so many of so many open it")
    return int(found[1]), int(found[2])
