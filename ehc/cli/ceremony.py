"""ehc ceremony: the first keys of a province, made by several people together (密钥仪式), step by step.

Each step that is done stands in the transcript, an audit log of its own in the ceremony's folder; the same command
goes on after the last of them. At the end everybody who took part signs the transcript, and so does the keyring's key.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ehc.cli.key_backup import copy_keyring, drilled
from ehc.cli.key_custody import credential_of, make_identity
from ehc.cli.keys import Folder, add_random, ask, keyring_folder, read_file
from ehc.crypto import wipe
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.audit import Actor, Role, read_line
from ehc.keys.composing import add_component, check_values
from ehc.keys.credential import Credential
from ehc.keys.identity import Identity, read_identity
from ehc.keys.keyring import Entry, Keyring, KeyState, Operation, Purpose, key_of_hex
from ehc.store.audit_log import AuditLog
from ehc.store.keyring_folder import KeyringFolder

_KEYS = (Purpose.SECURITY_KEY, Purpose.PROTECTION_KEY)
_MIN_CUSTODIANS = 2
Step = tuple[str, Actor, Callable[[], dict[str, object]]]
"""Its name in the transcript, whose it is, and what it notes."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part. All names differ: nobody has two roles."""

    leader: str  # MANAGER: leads, enters no component, holds no share
    auditor: str  # AUDITOR: watches and signs
    custodians: list[str]  # USER: a component of each key and a share each
    needed: int  # shares that open the backup

    def people(self) -> list[tuple[str, Role]]:
        custodians = [(name, Role.USER) for name in self.custodians]
        return [(self.leader, Role.MANAGER), *custodians, (self.auditor, Role.AUDITOR)]


class Ceremony:
    """One ceremony in one folder, and the keyring that comes of it."""

    def __init__(self, path: Path, folder: KeyringFolder) -> None:
        self.path, self.folder = path, folder
        self.transcript = AuditLog(path)

    def done(self) -> dict[str, dict[str, object]]:
        """Steps that stand in the transcript, with what they noted."""
        if not self.transcript.path.exists():
            return {}
        return {record.act: record.what for record, _ in map(read_line, self.transcript.lines())}

    def plan(self) -> Plan:
        found = self.done().get("begin")
        if found is None:
            raise NotFound(f"no ceremony was begun in {self.path}")
        return msgspec.convert(found, Plan)

    def run(self) -> None:
        """Every step that is not done yet, in order."""
        for name, actor, step in self._steps():
            if name in self.done():
                typer.echo(f"done before: {name}")
                continue
            typer.echo(f"\n== {name}")
            self.transcript.append(name, step(), actor)

    def _steps(self) -> list[Step]:
        plan = self.plan()
        leader = Actor(plan.leader, Role.MANAGER)
        steps: list[Step] = [(f"identity of {n}", Actor(n, r), partial(self._identity, n, r)) for n, r in plan.people()]
        steps.append(("keyring", leader, self._keyring))
        for purpose in _KEYS:
            for name in plan.custodians:
                step = partial(self._component, purpose, name)
                steps.append((f"component of {purpose} by {name}", Actor(name, Role.USER), step))
        steps += [("activation", leader, self._activate), ("backup", leader, self._backup)]
        steps.append(("drill", leader, self._drill))
        steps += [(f"signature of {n}", Actor(n, r), partial(self._sign, n)) for n, r in plan.people()]
        return [*steps, ("end", leader, self._end)]

    def _identity(self, name: str, role: Role) -> dict[str, object]:
        if (self.path / f"{name}.credential").exists() and not (self.path / f"{name}.identity").exists():
            (self.path / f"{name}.credential").unlink()  # cut off between the two: nobody has seen it
        if not (self.path / f"{name}.identity").exists():
            typer.echo(f"{name} ({role}): choose a passphrase; nobody else looks")
            make_identity(name, role, self.path)
        public = self._public(name)
        typer.echo(f"fingerprint {public.fingerprint}: write it down")
        return {"fingerprint": public.fingerprint, "public_key": public.verifies.hex()}

    def _keyring(self) -> dict[str, object]:
        if not self.folder.sealed.exists():
            with Keyring() as ring:
                add_random(ring, Purpose.SIGNING_KEY, int(time.time()))
                ring.office.begin(self._public(n) for n in self.plan().custodians)
                self.folder.create(ring, actor=Actor(self.plan().leader))
        with self.folder.open() as ring:
            key = ring.usable(Purpose.SIGNING_KEY, Operation.SIGN)[0].public_key.hex()
        typer.echo(f"the keyring signs with {key}")
        return {"signing_key": key, "custodians": self.plan().custodians}

    def _component(self, purpose: Purpose, name: str) -> dict[str, object]:
        with self.folder.open() as ring:
            entered = [one.name for c in ring.office.compositions if c.purpose is purpose for one in c.entered]
            if name in entered or any(e.purpose is purpose for e in ring.entries):  # cut off before it was written down
                return {"entered": True}
        who = self._credential(name)
        raw = key_of_hex(
            bytearray(ask(f"Component of {purpose}, 32 hex digits: ", "a ceremony needs a terminal"), "ascii")
        )
        try:
            values = check_values(raw)
            typer.echo(f"check values {values[0]} and {values[1]}: compare them with your paper")
            with self.folder.change(actor=Actor(name, Role.USER)) as ring:
                ring.office.approval(who, b"ehc component v1\n" + purpose.encode(), int(time.time()))
                count = len(self.plan().custodians)
                made = add_component(ring, purpose, count, name=name, component=raw, now=int(time.time()))
        finally:
            wipe(raw)
        key = {"key": [made.check_value, made.digest_value]} if isinstance(made, Entry) else {}
        return {"component": list(values), **key}

    def _activate(self) -> dict[str, object]:
        with self.folder.change(actor=Actor(self.plan().leader)) as ring:
            for purpose in _KEYS:
                if ring.entry(purpose, 1).state is KeyState.PRE_ACTIVE:
                    ring.step(purpose, 1, Operation.ACTIVATE, int(time.time()))
            values = {p.value: [ring.entry(p, 1).check_value, ring.entry(p, 1).digest_value] for p in _KEYS}
        for key, (first, second) in values.items():
            typer.echo(f"{key} version 1 is active, check values {first} and {second}")
        return {"keys": values}

    def _backup(self) -> dict[str, object]:
        into = self.path / "backup"
        for left in into.glob("*") if into.exists() else ():
            left.unlink()  # of a backup that was cut off: its shares went to nobody
        count = len(self.plan().custodians)
        copy_keyring(self.folder, _nobody, into, f"{self.plan().needed}/{count}")
        for index, name in enumerate(self.plan().custodians, 1):
            typer.echo(f"share-{index}.json is {name}'s")
        return {"shares": count, "needed": self.plan().needed}

    def _drill(self) -> dict[str, object]:
        into = self.path / "backup"
        used = [into / f"share-{i}.json" for i in range(1, self.plan().needed + 1)]
        drilled(self.folder, _nobody, into / "backup.sealed", used)
        typer.echo("the backup opens and holds the keys; now everybody takes their share and their credential away")
        return {"opened with": self.plan().needed}

    def _sign(self, name: str) -> dict[str, object]:
        who = self._credential(name)
        head = read_line(self.transcript.lines()[-1])[1]
        signature = who.sign(b"ehc ceremony v1\n" + bytes.fromhex(head))
        return {"of": head, "public_key": who.identity.verifies.hex(), "signature": signature.hex()}

    def _end(self) -> dict[str, object]:
        return {"keyring": self.folder.generation()}

    def _credential(self, name: str) -> Credential:
        return credential_of(self.path / f"{name}.credential", None)

    def _public(self, name: str) -> Identity:
        return read_identity(read_file(self.path / f"{name}.identity"))

    def checkpoint(self) -> None:
        """Sign the whole transcript with the keyring's key; again when it was cut off before."""
        with self.folder.open() as ring:
            entry = ring.usable(Purpose.SIGNING_KEY, Operation.SIGN)[0]
            self.transcript.checkpoint(entry.public_key, PrivateKey(entry.raw).sign)


def ceremony(
    *,
    into: Annotated[
        Path, typer.Argument(metavar="DIR", help="The ceremony's folder: transcript, credentials, shares.")
    ],
    leader: Annotated[str, typer.Option(help="Who leads; has no part of a key.")] = "",
    auditor: Annotated[str, typer.Option(help="Who watches, and signs at the end.")] = "",
    custodians: Annotated[str, typer.Option(metavar="NAMES", help="At least two, with commas: wang,li,zhao.")] = "",
    needed: Annotated[int, typer.Option(metavar="M", help="Shares that open the backup.")] = 2,
    keyring: Folder = None,
) -> None:
    """Make a province's keys with several people: nobody sees a key, everybody signs what was done.

    The steps: identities; a new keyring; each custodian's component of each key;
    activation; a backup in shares, and a drill with it; signatures. Stopped at any
    point, the same command goes on (DIR is enough then). The transcript is checked
    with `ehc audit verify --keyring DIR`.

    \b
    Examples:
      ehc ceremony /media/ceremony --leader chen --auditor qian --custodians wang,li,zhao --needed 2
      ehc ceremony /media/ceremony
    """
    folder = keyring_folder(keyring)
    act = Ceremony(into, folder)
    if "begin" not in act.done():
        plan = _plan(leader, auditor, custodians, needed)
        if folder.sealed.exists():
            raise Conflict(
                f"{folder.path} has a keyring already: a ceremony makes a new one; --keyring DIR names another"
            )
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        act.transcript.append("begin", msgspec.to_builtins(plan), Actor(plan.leader, Role.MANAGER))
    act.run()
    act.checkpoint()
    typer.echo(
        f"\nthe ceremony is over; `ehc audit verify --keyring {into}` checks its transcript, {act.transcript.path}"
    )


def _plan(leader: str, auditor: str, custodians: str, needed: int) -> Plan:
    names = [name.strip() for name in custodians.split(",") if name.strip()]
    if not leader or not auditor or len(names) < _MIN_CUSTODIANS:
        raise InputError("a ceremony begins with --leader NAME, --auditor NAME and --custodians of at least two names")
    everybody = [leader, auditor, *names]
    if len(set(everybody)) < len(everybody):
        raise InputError("one person has one role in a ceremony: the names of leader, auditor and custodians differ")
    if wrong := [name for name in everybody if not re.fullmatch(r"[^\s/\\]{1,40}", name)]:
        raise InputError(f"{wrong[0]!r} is no name: 1 to 40 characters, without blanks and slashes")
    if not _MIN_CUSTODIANS <= needed <= len(names):
        raise InputError(f"--needed {needed}: 2 to {len(names)}, the number of custodians")
    return Plan(leader=leader, auditor=auditor, custodians=names, needed=needed)


def _nobody() -> str:
    raise InputError("a ceremony's keyring opens with its key file")
