"""ehc keys identity, enrol, custodians, component, destroy, cancel: what people do with keys of their own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ehc.cli.key_backup import write_new
from ehc.cli.key_states import PurposeOf, VersionOf
from ehc.cli.keys import (
    Folder,
    PassphraseFile,
    app,
    ask,
    ask_new_passphrase,
    keyring_folder,
    passphrase_source,
    read_file,
    read_key,
    read_passphrase,
)
from ehc.crypto import wipe
from ehc.errors import FileError, InputError
from ehc.keys.audit import Actor, Role
from ehc.keys.composing import add_component, check_values
from ehc.keys.credential import Credential, open_credential
from ehc.keys.destruction import DEFAULT_DELAY, approve, cancel, destroy, request
from ehc.keys.duties import Duty
from ehc.keys.identity import read_identity
from ehc.keys.keyring import Entry, Keyring
from ehc.keys.sealing import secret_of_new_passphrase, secret_of_passphrase
from ehc.store.keyring_folder import process_user

CustodianFile = Annotated[
    Path | None, typer.Option("--custodian", metavar="FILE", help="Your credential; its passphrase is asked.")
]
CustodianPassphrase = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The credential's passphrase is the first line of this file.")
]
Witnesses = Annotated[
    list[Path] | None,
    typer.Option(
        "--custodian", metavar="FILE", help="Credentials of two custodians, when two are enrolled; repeat it."
    ),
]
WitnessPassphrases = Annotated[
    list[Path] | None, typer.Option("--custodian-passphrase", metavar="FILE", help="Theirs, in that order.")
]
HOUR = 3600


@app.command()
def identity(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a person, a machine or a region.")],
    role: Annotated[
        Role, typer.Option(help="As in GM/T 0006: USER is a custodian, AUDITOR reads the audit log.")
    ] = Role.USER,
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where the two files go.")] = Path(),
    credential_passphrase: CustodianPassphrase = None,
) -> None:
    """Make the SM2 keys of a custodian, a machine or a region: NAME.identity to give away, NAME.credential to keep.

    \b
    Examples:
      ehc keys identity wang --into /media/wang
    """
    made = make_identity(name, role, into, credential_passphrase)
    typer.echo(
        f"{name}.identity in {into}, fingerprint {made.identity.fingerprint}: read it aloud when you give it away"
    )


def make_identity(name: str, role: Role, into: Path, passphrase: Path | None = None) -> Credential:
    """Two new files. Raises InputError, FileError when there is one already."""
    made = Credential.generate(name, role)
    if (into / f"{name}.credential").exists():
        raise FileError(f"{into / name}.credential is there already, and stays as it is")
    way_out = "give it with --credential-passphrase FILE"
    word = read_passphrase(passphrase) if passphrase else ask_new_passphrase(way_out, f" of {name}")
    write_new(into / f"{name}.credential", made.sealed(secret_of_new_passphrase(word), os.urandom))
    write_new(into / f"{name}.identity", msgspec.json.encode(made.identity) + b"\n")
    return made


@app.command()
def enrol(
    identity_file: Annotated[Path, typer.Argument(metavar="IDENTITY")],
    custodian: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Credentials of two who are enrolled; for the third and later."),
    ] = None,
    custodian_passphrase: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Theirs, in that order.")
    ] = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make somebody a custodian of the keyring. The first two come in freely; who comes later needs two of them.

    An identity of another role is put in charge of that role's duties: MANAGER of
    keys, OPERATOR of machines that serve; from then on these take `ehc --as FILE`.

    \b
    Examples:
      ehc keys enrol wang.identity
      ehc keys enrol zhao.identity --custodian wang.credential --custodian li.credential
    """
    new = read_identity(read_file(identity_file))
    witnesses = _witnesses(custodian, custodian_passphrase)
    with keyring_folder(keyring).change(passphrase_source(passphrase_file), duty=Duty.ENROL) as ring:
        ring.office.enrol(new, witnesses, int(time.time()))
        by = " and ".join(one.identity.name for one in witnesses)
        ring.note_about("enrol", f"{new.name} {new.role} {new.fingerprint}" + (f" by {by}" if by else ""))
    said = "a custodian" if new.role is Role.USER else new.role
    typer.echo(f"{new.name} is {said}, fingerprint {new.fingerprint}")


@app.command()
def custodians(keyring: Folder = None, passphrase_file: PassphraseFile = None) -> None:
    """Show the custodians, and what waits for them.

    \b
    Examples:
      ehc keys custodians
    """
    with keyring_folder(keyring).open(passphrase_source(passphrase_file)) as ring:
        for one in (*ring.office.custodians, *ring.office.staff):
            typer.echo(f"{one.name}  {one.role}  fingerprint {one.fingerprint}")
        for pending in ring.office.destructions:
            names = " and ".join(approval.name for approval in pending.approvals)
            typer.echo(f"to be destroyed: {pending.purpose} version {pending.version}, approved by {names}")
        for composing in ring.office.compositions:
            typer.echo(f"{composing.purpose}: {len(composing.entered)} of {composing.count} components are entered")


@app.command()
def component(
    *,
    purpose: PurposeOf,
    of: Annotated[int, typer.Option("--of", metavar="COUNT", help="So many custodians bring one each.")],
    custodian: CustodianFile,
    custodian_passphrase: CustodianPassphrase = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The component as 32 hex digits; else stdin or a hidden prompt.")
    ] = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Enter your component of a key (密钥分量). The key is the XOR of all; nobody sees it; the last one makes it.

    Shows the two check values of your component: compare them with your paper.

    \b
    Examples:
      ehc keys component security_key --of 3 --custodian wang.credential
    """
    who = credential_of(custodian, custodian_passphrase)
    raw = read_key(key_file)
    try:
        typer.echo("your component has the check values {} and {}".format(*check_values(raw)))
        with keyring_folder(keyring).change(passphrase_source(passphrase_file), actor=_actor(who)) as ring:
            ring.office.approval(who, b"ehc component v1\n" + purpose.encode(), int(time.time()))
            made = add_component(ring, purpose, of, name=who.identity.name, component=raw, now=int(time.time()))
    finally:
        wipe(raw)
    if isinstance(made, Entry):
        typer.echo(f"{made.named()} is {made.state}, check values {made.check_value} and {made.digest_value}")
    else:
        typer.echo(f"{len(made.entered)} of {made.count} components are entered")


@app.command("destroy")
def destroy_(
    *,
    purpose: PurposeOf,
    version: VersionOf,
    custodian: CustodianFile = None,
    custodian_passphrase: CustodianPassphrase = None,
    delay_hours: Annotated[int, typer.Option(min=1, help="Between the second approval and the day it may be done.")] = (
        DEFAULT_DELAY // HOUR
    ),
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Destroy a version for good: two custodians say so, one after the other, and after the delay it is done.

    \b
    Examples:
      ehc keys destroy protection_key 1 --custodian wang.credential    (requests)
      ehc keys destroy protection_key 1 --custodian li.credential      (approves)
      ehc keys destroy protection_key 1                                (does it, after the delay)
      ehc keys cancel protection_key 1 --custodian li.credential       (until then)
    """
    who = credential_of(custodian, custodian_passphrase) if custodian else None
    now, actor = int(time.time()), _actor(who) if who else None
    with keyring_folder(keyring).change(passphrase_source(passphrase_file), actor=actor) as ring:
        if who is None:
            said = f"{destroy(ring, purpose, version, now).named()} is destroyed"
        elif any((one.purpose, one.version) == (purpose, version) for one in ring.office.destructions):
            due = approve(ring, purpose, version, who, now).due or 0
            said = f"approved: it may be done in {(due - now) // HOUR} hours, and cancelled until then"
        else:
            request(ring, purpose, version, who, now, delay=delay_hours * HOUR)
            said = "requested: another custodian approves it with the same command"
    typer.echo(said)


@app.command("cancel")
def cancel_(
    *,
    purpose: PurposeOf,
    version: VersionOf,
    custodian: CustodianFile,
    custodian_passphrase: CustodianPassphrase = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Cancel the destruction of a version; any one custodian may.

    \b
    Examples:
      ehc keys cancel protection_key 1 --custodian li.credential
    """
    who = credential_of(custodian, custodian_passphrase)
    with keyring_folder(keyring).change(passphrase_source(passphrase_file), actor=_actor(who)) as ring:
        cancel(ring, purpose, version, who, int(time.time()))
    typer.echo(f"{purpose} version {version} stays as it is")


@app.command()
def reinstate(
    custodian: Witnesses = None,
    custodian_passphrase: WitnessPassphrases = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Take an older copy of the keyring, when the latest is lost. The audit log says so for good.

    Without this an older copy is refused. Keys and changes made since that copy
    are gone. Two custodians must be there, when two are enrolled in the copy.

    \b
    Examples:
      ehc keys reinstate --custodian wang.credential --custodian li.credential
    """
    witnesses = _witnesses(custodian, custodian_passphrase)
    actor = Actor(" and ".join(one.identity.name for one in witnesses) or process_user().name)

    def allow(ring: Keyring) -> None:
        ring.office.require_present(b"ehc reinstate v1", witnesses, int(time.time()))

    counter = keyring_folder(keyring).reinstate(passphrase_source(passphrase_file), allow, actor=actor)
    typer.echo(f"the keyring of writing {counter} is in use again, and the audit log says so")


def _witnesses(files: list[Path] | None, passphrases: list[Path] | None) -> list[Credential]:
    words: list[Path | None] = [*(passphrases or [])]
    words += [None] * (len(files or []) - len(words))
    return [credential_of(file, word) for file, word in zip(files or [], words, strict=False)]


def credential_of(file: Path | None, passphrase: Path | None) -> Credential:
    """Opened; its passphrase from the file or the terminal. Raises FileError, KeyringError."""
    if file is None:
        raise InputError("--custodian FILE: your credential")
    text = read_file(file)
    way_out = "give it with --custodian-passphrase FILE"
    word = read_passphrase(passphrase) if passphrase else ask(f"Passphrase of {file.stem}: ", way_out)
    return open_credential(text, secret_of_passphrase(word))


def _actor(who: Credential) -> Actor:
    return Actor(who.identity.name, who.identity.role)
