"""ehc sdk app, grant, key, licence, keypair, unseal: apps that sign their requests, and what they are given."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from ehc.access.caller import Scope
from ehc.cli.database import ConfigFile, Database
from ehc.cli.files import read, write
from ehc.cli.keys import PassphraseFile
from ehc.cli.sdk_desk import Desk, desk
from ehc.crypto import legacy_signature as legacy
from ehc.crypto import wipe
from ehc.crypto.sm2 import PrivateKey, PublicKey
from ehc.errors import Conflict, EhcError, FileError, InputError
from ehc.keys.sealing import NONCE_BYTES
from ehc.model import CST
from ehc.sdkauth import key as app_keys
from ehc.sdkauth import licence as licences
from ehc.sdkauth.app import AppState, new_app
from ehc.sdkauth.grant import Grant, Quota, new_grant

OPTIONS = {"no_args_is_help": True, "pretty_exceptions_enable": False}
app = typer.Typer(help="Apps, and other systems that connect by an SDK.", **OPTIONS)  # type: ignore[arg-type]
grants = typer.Typer(help="What an app may do. What no grant allows is refused.", **OPTIONS)  # type: ignore[arg-type]
keys = typer.Typer(help="Authorisation keys (授权密钥) of apps.", **OPTIONS)  # type: ignore[arg-type]

Name = Annotated[str, typer.Argument(help="app id")]
Hex = Annotated[str | None, typer.Option(help="in hex")]
To = Annotated[Path, typer.Option("--to", "-o", help="a new file")]


@app.command()
def add(
    name: Name,
    *,
    owner: Annotated[str, typer.Option(help="who answers for it")],
    package: Annotated[str, typer.Option(help="package name, such as cn.example.health")] = "",
    certificate: Annotated[str | None, typer.Option(help="digest of its signing certificate, 64 hex digits")] = None,
    public_key: Annotated[Path | None, typer.Option(help="file of its SM2 public key (ehc sdk keypair)")] = None,
    system: Annotated[bool, typer.Option(help="another system: no package, no certificate")] = False,
    sandbox: Annotated[bool, typer.Option(help="acts on invented people alone")] = False,
    report: Annotated[str, typer.Option(help="number of the third party's test report")] = "",
    rate: Annotated[int | None, typer.Option(help="requests a second; else as the settings say")] = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Register an app, as a draft; one of the sandbox may begin at once.

    \b
    Examples:
      ehc sdk app add city-app --owner 市卫健委 --package cn.example.health --certificate 4F…9A --public-key app.pub
      ehc sdk app add his-h1 --owner 第一医院 --system --public-key his.pub --report 检-2026-001
    """
    digest = None if certificate is None else _hex(certificate, 32, "certificate")
    key = None if public_key is None else read_public_key(public_key)
    kind: Literal["app", "system"] = "system" if system else "app"
    with desk(database, config_file) as at:
        made = new_app(
            name,
            owner,
            at.now,
            kind=kind,
            package=package,
            certificate=digest,
            public_key=key,
            sandbox=sandbox,
            report=report,
            rate=rate,
        )
        at.apps.add(made, at.act())
    typer.echo(f"{name} is a draft{' of the sandbox' if sandbox else ''}")


@app.command()
def amend(
    name: Name,
    *,
    report: Annotated[str | None, typer.Option(help="number of the third party's test report")] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="file of the SM2 key that its downloads are sealed to")
    ] = None,
    reason: Annotated[str, typer.Option(help="why; kept")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Name an app's test report, or another key of its own; what is not given stays."""
    if report is None and public_key is None:
        raise typer.BadParameter("--report or --public-key, or both")
    key = None if public_key is None else read_public_key(public_key)
    with desk(database, config_file) as at:
        found = at.apps.amend(name, report, key, at.act(reason))
    typer.echo(f"{name} is {found.state.value}, its test report {found.report or 'not there'}")


@app.command()
def state(
    name: Name,
    to: Annotated[AppState, typer.Argument(metavar="STATE", help="review, draft, approved, suspended, revoked")],
    *,
    reason: Annotated[str, typer.Option(help="why; kept")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Review, approve, suspend or revoke an app. Every worker knows within a second."""
    with desk(database, config_file) as at:
        typer.echo(f"{name} is {at.apps.move(name, to, at.act(reason)).state.value}")


@app.command("list")
def list_(database: Database = None, config_file: ConfigFile = None) -> None:
    """Show every app."""
    table = Table("app", "kind", "state", "owner", "package", "report")
    with desk(database, config_file) as at:
        for one in at.apps.all():
            kind = f"{one.kind}, sandbox" if one.sandbox else one.kind
            table.add_row(one.name, kind, one.state.value, one.owner, one.package, one.report)
    Console().print(table)


@grants.command("add")
def add_grant(
    name: Name,
    *,
    sdk: Annotated[str, typer.Option(help="name of an SDK; * for all")],
    scope: Annotated[list[str], typer.Option(help=f"several times: {', '.join(Scope)}")],
    versions: Annotated[str, typer.Option(help="* or comparators, such as '>=1.2.0 <2.0.0'")] = "*",
    institution: Annotated[list[str] | None, typer.Option(help="several times; else whichever")] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="until it is over")] = 365,
    quota: Annotated[str | None, typer.Option(help="such as 100000/day, 3000000/month, 500/whole")] = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Allow an app something.

    \b
    Examples:
      ehc sdk grant add city-app --sdk ehc-client --versions '>=1.2.0 <2.0.0' --scope codes --scope register
      ehc sdk grant add his-h1 --sdk '*' --scope verify --institution H1 --quota 100000/day
    """
    limit = None if quota is None else _quota(quota)
    with desk(database, config_file) as at:
        times = (at.now, at.now + 86_400 * days)
        new = new_grant(name, sdk, versions, scope, institution, begins_at=times[0], ends_at=times[1], quota=limit)
        typer.echo(f"grant {at.apps.grant(new, at.act()).number}")


@grants.command("revoke")
def revoke_grant(name: Name, number: int, database: Database = None, config_file: ConfigFile = None) -> None:
    """End a grant. Every worker knows within a second."""
    with desk(database, config_file) as at:
        at.apps.revoke_grant(name, number, at.act())
    typer.echo(f"grant {number} is revoked")


@grants.command("list")
def list_grants(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """Show an app's grants."""
    table = Table("grant", "SDK", "scopes", "institutions", "until (CST)", "quota", "used", "revoked")
    with desk(database, config_file) as at:
        for one in at.apps.grants(name):
            table.add_row(*_grant_row(at, one))
    Console().print(table)


def _grant_row(at: Desk, one: Grant) -> list[str]:
    quota, used = "", ""
    if one.quota is not None:
        quota = f"{one.quota.requests:,}/{one.quota.period}"
        used = f"{at.apps.used(one.number, one.quota.number(at.now)):,}"
    places = "whichever" if one.institutions is None else " ".join(sorted(one.institutions))
    until = f"{datetime.fromtimestamp(one.ends_at, CST):%Y-%m-%d %H:%M}"
    what = [f"{one.sdk} {one.versions}", " ".join(sorted(one.scopes)), places, until, quota, used]
    return [str(one.number), *what, "yes" if one.revoked_at is not None else ""]


@keys.command("add")
def add_key(
    name: Name,
    *,
    kind: Annotated[
        str, typer.Option(help="hmac (downloaded once), sm2 (the app's own), legacy (app_secret)")
    ] = "hmac",
    public_key: Annotated[Path | None, typer.Option(help="of kind sm2: file of its public key")] = None,
    system_key_file: Annotated[Path | None, typer.Option(help="of kind legacy: system_key of existing SDKs")] = None,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Give an app another key; two of a kind may be live, so that one can follow the other.

    \b
    Examples:
      ehc sdk key add city-app
      ehc sdk key add city-app --kind sm2 --public-key app-2027.pub
      ehc sdk key add old-app --kind legacy --system-key-file system.key
    """
    id, nonce = f"k-{os.urandom(app_keys.ID_BYTES).hex()}", os.urandom(NONCE_BYTES)
    with desk(database, config_file, passphrase_file, keys=kind != "sm2") as at:
        if kind == "sm2":
            if public_key is None:
                raise InputError("--public-key: file of the app's SM2 public key (ehc sdk keypair)")
            at.apps.add_sm2_key(name, id, read_public_key(public_key), at.act())
        elif kind == "legacy":
            if system_key_file is None:
                raise InputError("--system-key-file: the system_key that existing SDKs have in them")
            secret = legacy.app_secret(name, read(system_key_file, "system key file").decode().strip())
            at.apps.add_legacy_key(name, id, secret, nonce, at.act())
        elif kind == "hmac":
            at.apps.add_hmac_key(name, id, os.urandom(app_keys.SECRET_BYTES), nonce, at.act())
        else:
            raise InputError(f"--kind: one of {', '.join(app_keys.KINDS)}")
    typer.echo(id)


@keys.command()
def end(
    name: Name,
    key: str,
    after: Annotated[int, typer.Option(min=0, help="seconds from now")] = 0,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """End a key, now or after so many seconds."""
    with desk(database, config_file) as at:
        at.apps.end_key(name, key, at.now + after, at.act())
    typer.echo(f"{key} ends{f' in {after} s' if after else ''}")


@keys.command()
def download(
    name: Name,
    key: str,
    *,
    to: To,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Write an hmac key, once ever, sealed to the app's SM2 key. `ehc sdk unseal` opens it where that key is."""
    with desk(database, config_file, passphrase_file, keys=True) as at:
        if to.exists():
            raise FileError(f"{to} is there already: it is not written over, and the key is not used up")
        found, secret = at.apps.fetch_key(name, key, at.act())
        sealed = PublicKey(found.public_key or b"").encrypt(secret)
        wipe(secret)
    write(to, sealed.hex().upper().encode() + b"\n")
    typer.echo(f"{to}: for {name} alone; it cannot be downloaded again")


@keys.command("list")
def list_keys(name: Name, database: Database = None, config_file: ConfigFile = None) -> None:
    """Show an app's keys, never a secret."""
    table = Table(Column("key", no_wrap=True, min_width=26), "kind", "created (CST)", "ends (CST)", "downloaded (CST)")
    with desk(database, config_file) as at:
        for one in at.apps.keys(name):
            times = (one.created_at, one.ends_at, one.fetched_at)
            shown = [f"{datetime.fromtimestamp(when, CST):%Y-%m-%d %H:%M}" if when else "" for when in times]
            table.add_row(one.id, one.kind, *shown)
    Console().print(table)


def licence(
    name: Name,
    to: To,
    *,
    grant: Annotated[int | None, typer.Option(help="its number; else the first one in force")] = None,
    hours: Annotated[int | None, typer.Option(min=1, max=8784, help="its life; else as the settings say")] = None,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Write a licence file (授权码文件), bound to the app's package and certificate.

    \b
    Examples:
      ehc sdk licence city-app -o ehc.licence
    """
    with desk(database, config_file, passphrase_file, keys=True) as at:
        found = [
            one
            for one in at.apps.grants(name)
            if one.number == grant
            or (grant is None and one.revoked_at is None and one.begins_at <= at.now < one.ends_at)
        ]
        if not found:
            raise Conflict(f"{name} has no grant {grant or 'in force'}")
        seconds, serial = 3600 * (hours or at.settings.licence_hours), os.urandom(16)
        text = licences.make(at.authority, at.apps.find(name), found[0], at.now, serial=serial, seconds=seconds)
    write(to, text.encode())
    typer.echo(f"{to}: for {seconds // 3600} hours at most")


def keypair(
    to: Annotated[Path, typer.Option("--to", "-o", help="a new file for the private key; .pub beside it")],
) -> None:
    """Make an SM2 key pair for an app: the private key stays with it, FILE.pub is what is registered.

    \b
    Examples:
      ehc sdk keypair -o app.key
    """
    public = to.with_name(f"{to.name}.pub")
    if public.exists():
        raise FileError(f"{public} is there already: it is not written over")
    made, raw = PrivateKey.generate(), bytearray(32)
    made.write_raw(raw)
    text = bytearray(raw.hex().upper().encode())
    write(to, text, private=True)
    wipe(raw)
    wipe(text)
    write(public, bytes(made.public_key).hex().upper().encode() + b"\n")
    typer.echo(f"{to} (keep it secret) and {public}")


def unseal(
    sealed: Annotated[Path, typer.Argument(help="what was downloaded")],
    *,
    key: Annotated[Path, typer.Option(help="file of the app's private key")],
    to: To,
) -> None:
    """Open an authorisation key that was sealed to the app's SM2 key."""
    private, text = read_private_key(key), read(sealed, "sealed key").decode("ascii", "replace").strip()
    try:
        secret = private.decrypt(bytes.fromhex(text))
    except (ValueError, EhcError) as error:
        raise FileError(f"{sealed} is not sealed to {key}") from error
    shown = bytearray(secret.hex().upper().encode())
    write(to, shown, private=True)
    wipe(secret)
    wipe(shown)
    typer.echo(f"{to}: keep it secret")


def read_public_key(file: Path) -> bytes:
    raw = _hex(read(file, "public key file").decode("ascii", "replace").strip(), 64, f"public key file {file}")
    try:
        PublicKey(raw)
    except ValueError as error:
        raise FileError(f"public key file {file}: not on the SM2 curve") from error
    return raw


def read_private_key(file: Path) -> PrivateKey:
    return PrivateKey(_hex(read(file, "key file").decode("ascii", "replace").strip(), 32, f"key file {file}"))


def _hex(text: str, size: int, what: str) -> bytes:
    if not re.fullmatch(rf"[0-9A-Fa-f]{{{2 * size}}}", text):
        raise InputError(f"{what}: {2 * size} hex digits")
    return bytes.fromhex(text)


def _quota(text: str) -> Quota:
    found = re.fullmatch(r"([1-9][0-9]{0,14})/(day|month|whole)", text)
    if not found:
        raise InputError("--quota: requests and period, such as 100000/day, 3000000/month, 500/whole")
    period: Literal["day", "month", "whole"] = found[2]  # type: ignore[assignment]
    return Quota(int(found[1]), period)
