"""ehc keys generate, activate, suspend, deactivate, compromise, minimum: the life of a version."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ehc.cli.keys import Folder, PassphraseFile, add_random, app, keyring_folder, passphrase_source
from ehc.errors import InputError
from ehc.keys.keyring import KeyState, Operation, Purpose, Usage

PurposeOf = Annotated[Purpose, typer.Argument(metavar="PURPOSE", help=", ".join(Purpose))]
VersionOf = Annotated[int, typer.Argument(metavar="VERSION", min=1, max=255)]
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit log. No secret, no name of a patient.")]


@app.command()
def generate(
    purpose: PurposeOf,
    usage: Annotated[
        list[Usage] | None, typer.Option(help="Bind the version to less than its purpose allows; may be repeated.")
    ] = None,
    active: Annotated[
        bool, typer.Option("--active", help="In use at once; the version before it is deactivated.")
    ] = False,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a new random version of a key, pre-active: it makes nothing until it is activated.

    \b
    Examples:
      ehc keys generate protection_key
      ehc keys generate signing_key --active
    """
    state = KeyState.ACTIVE if active else KeyState.PRE_ACTIVE
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        entry = add_random(ring, purpose, int(time.time()), state, usage)
    typer.echo(f"{entry.named()} is {entry.state}, check values {entry.check_value} and {entry.digest_value}")


@app.command()
def activate(
    purpose: PurposeOf,
    version: VersionOf,
    reason: Reason = "",
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Take a pre-active version into use, or a suspended one again. The newest active version makes.

    Every running service has the change within a second.

    \b
    Examples:
      ehc keys activate protection_key 2
    """
    _step(
        operation=Operation.ACTIVATE,
        purpose=purpose,
        version=version,
        reason=reason,
        keyring=keyring,
        passphrase_file=passphrase_file,
    )


@app.command()
def suspend(
    purpose: PurposeOf,
    version: VersionOf,
    reason: Reason = "",
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Stop a version while something is looked into: it makes and checks nothing. Card ids are still found.

    \b
    Examples:
      ehc keys suspend protection_key 2 --reason "a disk is missing"
    """
    _step(
        operation=Operation.SUSPEND,
        purpose=purpose,
        version=version,
        reason=reason,
        keyring=keyring,
        passphrase_file=passphrase_file,
    )


@app.command()
def deactivate(
    purpose: PurposeOf,
    version: VersionOf,
    reason: Reason = "",
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """End a version's making: from now on it checks what it made, and makes nothing.

    \b
    Examples:
      ehc keys deactivate protection_key 1
    """
    _step(
        operation=Operation.DEACTIVATE,
        purpose=purpose,
        version=version,
        reason=reason,
        keyring=keyring,
        passphrase_file=passphrase_file,
    )


@app.command()
def compromise(
    purpose: PurposeOf,
    version: VersionOf,
    reason: Reason = "",
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Say that others have this version: nothing of it is accepted any more. There is no way back.

    Card ids are still found, so that a province can be re-keyed (`ehc keys rotate`).

    \b
    Examples:
      ehc keys compromise protection_key 2 --reason "found in a mail"
    """
    _step(
        operation=Operation.COMPROMISE,
        purpose=purpose,
        version=version,
        reason=reason,
        keyring=keyring,
        passphrase_file=passphrase_file,
    )


@app.command()
def minimum(
    purpose: PurposeOf,
    making: Annotated[int | None, typer.Option(metavar="VERSION", help="Older versions make nothing.")] = None,
    checking: Annotated[int | None, typer.Option(metavar="VERSION", help="Older versions check nothing.")] = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Set the least version that may make, and that may check; in effect everywhere within a second.

    \b
    Examples:
      ehc keys minimum protection_key --making 3 --checking 2
    """
    if making is None and checking is None:
        raise InputError("say which minimum: --making VERSION, --checking VERSION, or both")
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        now = ring.set_minimum(purpose, making=making, checking=checking)
    typer.echo(f"{purpose}: version {now.making} or later makes, version {now.checking} or later checks")


def _step(
    *,
    operation: Operation,
    purpose: Purpose,
    version: int,
    reason: str,
    keyring: Path | None,
    passphrase_file: Path | None,
) -> None:
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        entry = ring.step(purpose, version, operation, int(time.time()), reason)
    typer.echo(f"{entry.named()} is {entry.state}")
