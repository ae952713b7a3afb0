"""ehc keys send, receive, acknowledge: a key to a machine or a region (密钥分发), diversified or as it is."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from ehc.cli.key_backup import write_new
from ehc.cli.key_custody import CustodianPassphrase, credential_of
from ehc.cli.key_states import PurposeOf
from ehc.cli.keys import Folder, PassphraseFile, app, keyring_folder, passphrase_source, read_file
from ehc.crypto import wipe
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.errors import FileError, InputError, KeyUnavailable
from ehc.keys.diversify import diversify, factor_of
from ehc.keys.envelope import Sender, acknowledge, receive, send
from ehc.keys.identity import read_identity
from ehc.keys.keyring import KEY_BYTES, Keyring, Operation, Purpose


@app.command("send")
def send_(
    *,
    purpose: PurposeOf,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, max=255)],
    to: Annotated[Path, typer.Option(metavar="IDENTITY", help="Who may open it: NAME.identity of the recipient.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The envelope.")],
    place: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE", help="Send the key diversified for this place (密钥分散); repeat it to go further down."
        ),
    ] = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Seal a key to one recipient, who can open it once. The recipient's receipt comes back to `ehc keys acknowledge`.

    With --place the recipient gets the key of that region, city or institution,
    and cannot find the key above it.

    \b
    Examples:
      ehc keys send security_key 1 --to machine.identity -o key.envelope
      ehc keys send security_key 1 --to chengdu.identity --place 510000 --place 510100 -o key.envelope
    """
    recipient, places = read_identity(read_file(to)), tuple(place or ())
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        entry, sender = ring.entry(purpose, version), _sender(ring)
        if purpose.size != KEY_BYTES:
            raise InputError("an SM2 private key does not travel: make one where it is needed")
        ring.require(entry, Operation.EXPORT)
        key = diversify(entry.raw, map(factor_of, places))
        sealed = send(ring, entry, key, recipient, sender, now=int(time.time()), random=os.urandom, places=places)
        wipe(key)
    write_new(output, sealed)
    typer.echo(f"{output} is for {recipient.name}, fingerprint {recipient.fingerprint}; it opens once")
    typer.echo(f"tell the recipient whose signature to expect: {sender.public_key.hex()}")


@app.command("receive")
def receive_(
    *,
    envelope: Annotated[Path, typer.Argument(metavar="ENVELOPE")],
    credential: Annotated[Path, typer.Option(metavar="FILE", help="Your credential; its passphrase is asked.")],
    sender: Annotated[str, typer.Option(metavar="HEX", help="The sender's public key, 128 hex digits.")],
    receipt: Annotated[Path, typer.Option(metavar="FILE", help="The receipt, to send back.")],
    credential_passphrase: CustodianPassphrase = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Open an envelope, once: the key is the next version of its purpose, pre-active.

    \b
    Examples:
      ehc keys receive key.envelope --credential machine.credential --sender 4A1F… --receipt key.receipt
    """
    who = credential_of(credential, credential_passphrase)
    if receipt.exists():
        raise FileError(f"{receipt} is there already: name a new file")
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        entry, answer = receive(ring, read_file(envelope), who, _point(sender), int(time.time()))
    write_new(receipt, answer)
    typer.echo(f"{entry.named()} is {entry.state}, check values {entry.check_value} and {entry.digest_value}")


@app.command("acknowledge")
def acknowledge_(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT")],
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Note the receipt of a key that was sent; checks that the recipient signed it.

    \b
    Examples:
      ehc keys acknowledge key.receipt
    """
    with keyring_folder(keyring).change(passphrase_source(passphrase_file)) as ring:
        done = acknowledge(ring, read_file(receipt))
    typer.echo(f"{done.to.name} has the {done.purpose} with check value {done.check_value}")


def _sender(ring: Keyring) -> Sender:
    for entry in ring.usable(Purpose.SIGNING_KEY, Operation.SIGN):
        return Sender(entry.public_key, PrivateKey(entry.raw).sign)
    raise KeyUnavailable("there is no active signing_key: `ehc keys generate signing_key --active` makes one")


def _point(text: str) -> bytes:
    try:
        return bytes(PublicKey(bytes.fromhex(text)))
    except ValueError:
        raise InputError("--sender: 128 hex digits of a point of SM2's curve") from None
