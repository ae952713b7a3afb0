"""ehc registry sync, ehc registry reconcile: two registries made alike, and proved to be."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from ehc.cli.database import ConfigFile, Database, settings_of
from ehc.cli.database import opened as desk
from ehc.cli.keys import Folder, PassphraseFile, passphrase_source
from ehc.crypto import sm3
from ehc.errors import Conflict, FileError
from ehc.registry.reconciling import ComparedRange, reconcile
from ehc.registry.registry import Record
from ehc.registry.synchronising import Synchronisation
from ehc.wiring.keys import open_machine
from ehc.wiring.registries import open_peer
from ehc.wiring.stores import open_registry, system_clock

Url = Annotated[str, typer.Argument(metavar="URL", help="of another ehc, or a server of the same interface")]
KeyFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its first line is the key, with scope registry:sync.")
]


def sync(  # noqa: PLR0917  the command line, not called from code
    url: Url,
    key_file: KeyFile = None,
    name: Annotated[str | None, typer.Option(help="Under which the places are kept; default: URL.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Go through both feeds from their beginnings.")] = False,
    keyring: Folder = None,
    passphrase_file: PassphraseFile = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Pull another registry's changes, push ours; afterwards both say the same.

    Which of two versions of a card stands is decided alike on both sides: see
    ehc/registry/README.md. A run that was killed is continued by the next one;
    nothing is done twice. After a database was restored from a copy: --anew.

    \b
    Examples:
      ehc registry sync https://registry.example --key-file peer.key
    """
    settings = settings_of(database, config_file)
    if keyring:
        settings = msgspec.structs.replace(settings, keyring=str(keyring))
    keys, peer_name = open_machine(settings, passphrase_source(passphrase_file)), name or url
    with open_registry(settings, keys) as registry, closing(open_peer(url, key_file)) as peer:
        if anew:
            registry.store.restart(peer_name)
        run = Synchronisation(registry, peer, peer_name, system_clock)
        _show(run)
    typer.echo(f"pulled {_counts(run.pulled)}\npushed {_counts(run.pushed)}")
    for number, field, reason in run.refused:
        typer.echo(f"not kept: card …{number[-4:]}, {field}: {reason}", err=True)
    if run.other_name:
        typer.echo(
            f"{len(run.other_name):,} cards are kept without an electronic one: their document has one under "
            "another name",
            err=True,
        )


def _show(run: Iterable[int]) -> None:
    columns = SpinnerColumn(), TextColumn("{task.completed:,} cards"), TimeElapsedColumn()
    with Bar(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=None)
        for cards in run:
            bar.update(task, completed=cards)


def _counts(tally: Counter[str]) -> str:
    if not tally:
        return "nothing"
    words = ("new", "newer", "same", "older", "refused")
    return f"{sum(tally.values()):,} cards: " + ", ".join(f"{tally[word]:,} {word}" for word in words if tally[word])


def reconcile_(
    url: Url,
    key_file: KeyFile = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="CSV of the cards that differ; none where none does.")
    ] = Path("differences.csv"),
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Prove that another registry says the same as ours, or name the cards that differ.

    Both make SM3 digests over the rows of the same ranges of card numbers. Where
    they differ the rows are compared. FILE says in which fields, not what stands
    in them. Ends with 7 where a card differs.

    \b
    Examples:
      ehc registry reconcile https://registry.example --key-file peer.key
    """
    with desk(settings_of(database, config_file)) as store, closing(open_peer(url, key_file)) as peer:
        ranges = list(reconcile(store.registry, peer))
    ours, theirs = (sum(getattr(one, side).cards for one in ranges) for side in ("ours", "theirs"))
    for side, cards in (("ours", ours), ("theirs", theirs)):
        digest = sm3(b"".join(getattr(one, side).digest for one in ranges)).hex().upper()
        typer.echo(f"{side}: {cards:,} cards in {len(ranges):,} ranges, digest {digest}")
    differing = sum(len(one.differences) for one in ranges)
    if differing:
        _write(output, ranges)
        raise Conflict(f"{differing:,} cards differ: see {output}; ehc registry sync makes both alike")
    typer.echo("both say the same of every card")


def _write(path: Path, ranges: Iterable[ComparedRange]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["number", "ours", "theirs", "fields"])
            for one in ranges:
                table.writerows([row.number, _said(row.ours), _said(row.theirs), row.fields] for row in one.differences)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error


def _said(record: Record | None) -> str:
    return "" if record is None else f"{record.state}, version {record.version} of {record.source}"
