"""ehc keys rotate: re-key a province (cards/rekeying.py), its keyring and its database together."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ehc.cards.rekeying import AFTER, OVER, Phase, Rekeyer, Rekeying, RekeyingStore, pause, state_of
from ehc.cli.database import ConfigFile, Database, settings_of
from ehc.cli.keys import Folder, PassphraseFile, app, passphrase_source
from ehc.config import Settings
from ehc.crypto import wipe
from ehc.errors import Conflict, NotFound
from ehc.keys.keyring import KEY_BYTES, Keyring, KeyState, Operation, Purpose
from ehc.store.keyring_folder import KeyringFolder, Passphrase
from ehc.wiring.keys import keyring_folder, open_machine
from ehc.wiring.stores import open_rekeying

KEY = Purpose.SECURITY_KEY
HEARD = 1.5
"""Seconds after which every worker has a version that was activated."""

BEHIND = 10
"""Niceness of the work: on a host that it shares with the service, that one goes first."""

COMMAND = "ehc keys rotate security_key"


class Rotated(enum.StrEnum):
    """Keys that can be rotated."""

    SECURITY_KEY = "security_key"


class Do(enum.StrEnum):
    RUN = "run"
    STATUS = "status"
    PAUSE = "pause"
    RESUME = "resume"
    FLIP = "flip"
    RETIRE = "retire"
    ROLL_BACK = "roll-back"


@app.command()
def rotate(  # noqa: PLR0917  the command line, not called from code
    purpose: Annotated[Rotated, typer.Argument(metavar="security_key", help="The key that makes card ids (安全密钥).")],
    do: Annotated[
        Do, typer.Argument(metavar="[DO]", help="run, status, pause, resume, flip, retire, roll-back.")
    ] = Do.RUN,
    share: Annotated[
        float, typer.Option(min=0.05, max=1.0, help="Part of the time in which it works; the rest is the service's.")
    ] = 0.9,
    background: Annotated[
        bool, typer.Option("--background", help="Work on after this command ended; it says where the log is.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="How it stands, as JSON on standard output.")] = False,
    database: Database = None,
    config_file: ConfigFile = None,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Give every card an id under another version of the security key, while the service runs.

    \b
    run        begin, or go on: ids under the new version are derived for all
               accounts, then verified; old ids are shown until the flip.
               The new version is the latest of the keyring; if cards have
               that one already, a new random key is made (pre-active).
    flip       new ids are shown and made, everywhere within a second;
               codes with old ids work as before (grace)
    retire     old ids find nobody any more, and are cleared away
    roll-back  as it was before; possible until retire
    pause      whoever works on it stops after the step at hand
    resume     go on after a pause
    status     phase, accounts done, rate, forecast

    A run that was killed has lost nothing: the same command goes on. Back up
    the keyring when a new key was made: cards depend on it from the flip on.

    \b
    Examples:
      ehc keys rotate security_key
      ehc keys rotate security_key status --json
      ehc keys rotate security_key flip
      ehc keys rotate security_key retire --background
    """
    settings = settings_of(database, config_file)
    if keyring:
        settings = msgspec.structs.replace(settings, keyring=str(keyring))
    if background:
        return _in_background(settings)
    with open_rekeying(settings) as store:
        if do is Do.PAUSE:
            pause(store, paused=True)
        elif do is not Do.STATUS:
            if do is Do.RESUME:
                pause(store, paused=False)
            _Rotation(settings, store, _once(passphrase_source(passphrase_file)), share).go(do)
        _report(state_of(store), as_json=as_json)


class _Rotation:
    """The keyring and the job, kept in agreement."""

    def __init__(self, settings: Settings, store: RekeyingStore, passphrase: Passphrase, share: float) -> None:
        self._settings, self._store, self._passphrase, self._share = settings, store, passphrase, share
        self._folder: KeyringFolder = keyring_folder(settings)

    def go(self, do: Do) -> None:
        state = self._begun() if do is Do.RUN else state_of(self._store)
        if state.paused and do is not Do.ROLL_BACK:
            raise Conflict(f"the re-keying is paused: `{COMMAND} resume` goes on")
        if do is Do.FLIP and state.phase is Phase.READY and self._activated(state):
            time.sleep(HEARD)
        keys = open_machine(self._settings, self._passphrase)
        job = Rekeyer(self._store, keys, self._settings.padding)
        said = {Do.FLIP: job.flip, Do.RETIRE: job.retire, Do.ROLL_BACK: job.roll_back}
        if do in said and not _said_already(do, state):
            said[do](_now())
        self._agree()
        self._work(job)

    def _begun(self) -> Rekeying:
        """The open one; a new one where none is."""
        last = self._store.latest()
        if last is not None and last.phase not in OVER:
            return last
        old, new = self._versions(last)
        keys = open_machine(self._settings, self._passphrase)
        return Rekeyer(self._store, keys, self._settings.padding).begin(old, new, _now())

    def _versions(self, last: Rekeying | None) -> tuple[int, int]:
        """The version before the latest, and the latest, which is made where there is none to come."""
        with self._folder.open(self._passphrase) as keyring:
            versions = _to_come(keyring, last)
            _require_known(keyring, last)
        if not versions:
            with self._folder.change(self._passphrase) as keyring:
                _add_random(keyring)
                versions = _to_come(keyring, last)
        return versions[-2], versions[-1]

    def _activated(self, state: Rekeying) -> bool:
        return self._step({state.new_version: (KeyState.PRE_ACTIVE, Operation.ACTIVATE)})

    def _agree(self) -> None:
        """What the phase wants of the keyring, also where a process was killed between the two."""
        state = state_of(self._store)
        if state.phase is Phase.GRACE:
            self._activated(state)
        elif state.phase in {Phase.RETIRE, Phase.RETIRED}:
            self._step({state.old_version: (KeyState.ACTIVE, Operation.DEACTIVATE)})
        elif state.phase in {Phase.ROLL_BACK, Phase.ROLLED_BACK}:
            self._step({state.new_version: (KeyState.ACTIVE, Operation.DEACTIVATE)})

    def _step(self, wanted: dict[int, tuple[KeyState, Operation]]) -> bool:
        """Versions that stand in that state make that step; whether one did."""
        with self._folder.open(self._passphrase) as keyring:
            todo = {version: step for version, (state, step) in wanted.items() if _state(keyring, version) is state}
        if not todo:
            return False
        with self._folder.change(self._passphrase) as keyring:
            for version, step in todo.items():
                keyring.step(KEY, version, step, _now())
                typer.echo(f"{KEY} version {version}: {_state(keyring, version)}", err=True)
        return True

    def _work(self, job: Rekeyer) -> None:
        os.nice(BEHIND)
        with _bar() as show, _stopped():
            more = True
            while more:
                began = time.monotonic()
                more = job.step(_now())
                show(job.state())
                time.sleep((time.monotonic() - began) * (1 - self._share) / self._share if more else 0)


def _said_already(do: Do, state: Rekeying) -> bool:
    """Saying it once more goes on with it."""
    wanted = {Do.FLIP: Phase.GRACE, Do.RETIRE: Phase.RETIRE, Do.ROLL_BACK: Phase.ROLL_BACK}
    return state.phase is wanted[do]


def _state(keyring: Keyring, version: int) -> KeyState | None:
    try:
        return keyring.entry(KEY, version).state
    except NotFound:
        return None


def _to_come(keyring: Keyring, last: Rekeying | None) -> list[int]:
    """All versions up to the one that cards can be re-keyed to; none where they have the latest already."""
    versions = sorted((one for one in keyring.entries if one.purpose is KEY), key=lambda one: one.version)
    if not versions:
        raise Conflict(f"there is no {KEY}, so no card has an id under one: `ehc keys import` adds the first")
    latest = versions[-1]
    reached = last is not None and last.phase is Phase.RETIRED and last.new_version >= latest.version
    if len(versions) == 1 or reached or not keyring.may(latest, Operation.BACKFILL):
        return []
    return [one.version for one in versions]


def _require_known(keyring: Keyring, last: Rekeying | None) -> None:
    """A version that cards have ids of is not made a second time, as another key."""
    wanted = last.new_version if last is not None and last.phase is Phase.RETIRED else 0
    if wanted and _state(keyring, wanted) is None:
        raise Conflict(
            f"cards have ids of {KEY} version {wanted}, which this keyring, an older copy, has not: restore the newest"
        )


def _add_random(keyring: Keyring) -> None:
    raw = bytearray(os.urandom(KEY_BYTES))
    try:
        made = keyring.add(KEY, raw, _now(), state=KeyState.PRE_ACTIVE)
    finally:
        wipe(raw)
    typer.echo(f"{KEY} version {made.version} was made, check value {made.check_value}: back up the keyring", err=True)


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Rekeying], None]]:
    """A progress bar, when standard error is a terminal."""
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("accounts, {task.fields[rate]:,.0f}/s, left:"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=None, rate=0.0)
        phase: list[Phase] = []

        def show(state: Rekeying) -> None:
            if phase[-1:] != [state.phase]:
                phase.append(state.phase)
                bar.reset(task, total=max(state.total, state.done))
            bar.update(task, description=state.phase.value, completed=state.done, rate=state.rate)

        yield show


@contextlib.contextmanager
def _stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; nothing is lost: `{COMMAND}` goes on", err=True)
        raise typer.Exit(130) from None


NEXT = {
    Phase.BACKFILL: f"`{COMMAND}` goes on",
    Phase.VERIFY: f"`{COMMAND}` goes on",
    Phase.READY: f"every account has both ids, verified: `{COMMAND} flip` shows the new ones",
    Phase.GRACE: f"new ids are shown, old ones still work: `{COMMAND} retire` ends them, `roll-back` goes back",
    Phase.RETIRE: f"old ids find nobody any more: `{COMMAND}` goes on clearing them away",
    Phase.ROLL_BACK: f"new ids find nobody any more: `{COMMAND}` goes on clearing them away",
    Phase.RETIRED: "over: all cards have ids of the new version",
    Phase.ROLLED_BACK: "over: all cards have the ids they had",
}


def _report(state: Rekeying, *, as_json: bool) -> None:
    if as_json:
        document = dataclasses.asdict(state) | {"rate": state.rate, "seconds_left": state.seconds_left}
        typer.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
        return
    typer.echo(f"{KEY} version {state.old_version} to {state.new_version}: phase {state.phase.value}{_progress(state)}")
    for what, count in (("due", state.due), ("found wrong, made again", state.wrong)):
        if count:
            typer.echo(f"  {count:,} accounts {what}")
    if state.differing:
        typer.echo(f"  {state.differing:,} accounts had an id that their version does not give: was their key another?")
    if state.refused:
        typer.echo(f"  {state.refused:,} accounts have a document that gives no id: they keep the one they have")
    typer.echo(f"  paused: `{COMMAND} resume` goes on" if state.paused else f"  {NEXT[state.phase]}")


def _progress(state: Rekeying) -> str:
    if state.phase not in AFTER:
        return ""
    left = "" if state.seconds_left is None else f", {state.rate:,.0f}/s, {state.seconds_left:,.0f} s left"
    return f", {state.done:,} of {state.total:,} accounts{left}"


def _once(ask: Passphrase) -> Passphrase:
    """Asks when it is first called."""
    known: list[str] = []

    def answer() -> str:
        if not known:
            known.append(ask())
        return known[0]

    return answer


def _in_background(settings: Settings) -> None:
    """The same command in a session of its own."""
    log: Path = settings.home_path() / "rotation.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = [word for word in sys.argv[1:] if word != "--background"]
    with open(os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ehc.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    typer.echo(f"process {process.pid}, log {log}; `{COMMAND} status` shows how it stands")


def _now() -> int:
    return int(time.time())
