"""ehc index load: files of records into the master index, prepared in processes beside the one that writes."""

from __future__ import annotations

import csv
import itertools
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from ehc.cards.accounts import Act
from ehc.cli.database import ConfigFile, Database
from ehc.cli.index_desk import Desk, desk
from ehc.errors import FileError
from ehc.index.domain import NATIONAL, Domain, Domains, visit_card
from ehc.index.lines import Columns, Refused, prepare_lines
from ehc.index.loading import BLOCK

LINES = 4_096
"""That a process prepares at a time."""
AHEAD = 2 * BLOCK // LINES
"""Parts that are prepared before they are written."""
STDIN = Path("-")
_NEW = "visit-card/"


class _Source(msgspec.Struct):
    source: str


Part = tuple[Columns, list[Refused]]


def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON, a record a line; - is standard input")],
    *,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="refused lines: line, reason; default: FILE.rejects.csv")
    ] = None,
    new_domains: Annotated[
        bool, typer.Option("--new-domains", help="register the visit cards (visit-card/…) that the file names")
    ] = False,
    processes: Annotated[int, typer.Option(min=0, max=64, help="that prepare lines; 0: this one does it itself")] = 1,
    block: Annotated[int, typer.Option(min=1, max=1 << 20, help="records a transaction")] = BLOCK,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Load records: new ones, and what sources say anew of those that are there.

    What comes of them is what comes of one record after another: linked, new,
    updated, or held for readers. `ehc index match` is needed when rules changed.

    A line is JSON: source (a domain), local_id, name, sex, birth_date, phone,
    address, mother, birth_order, mother_document, identifiers {domain: number}.
    Every block is one transaction. After a crash load the file again: what is
    there already is found unchanged.

    \b
    Examples:
      ehc index generate 10000 -o people.ndjson
      ehc index load people.ndjson --new-domains
    """
    began, done = time.monotonic(), Counter[str]()
    refused: list[Refused] = []
    with desk(database, config_file) as at, _open(file) as lines:
        if new_domains:
            _register(at, file)
        act = at.act("ehc index load")
        for part in _blocks(_prepared(lines, list(at.index.finder.domains()), processes), block, refused):
            done += at.index.loader.load(part, Act(at.now, act.by, act.reason))
            typer.echo(f"\r{sum(done.values()):,} records", err=True, nl=False)
    seconds = time.monotonic() - began
    _tell(done, refused, seconds, rejects or file.with_name(file.name + ".rejects.csv"))


def _open(file: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if file == STDIN else file.open("rb")
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error


def _prepared(lines: Iterable[bytes], domains: list[Domain], processes: int) -> Iterator[Part]:
    """In the order of the file; while one block is written the next ones are prepared."""
    source = iter(lines)
    parts = enumerate(iter(lambda: list(itertools.islice(source, LINES)), []))
    registered = [one for one in domains if one not in NATIONAL]
    if not processes:
        _know(registered)
        yield from (prepare_lines(_domains, some, number * LINES + 1) for number, some in parts)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (registered,)) as pool:
        waiting = [pool.submit(_prepare, *part) for part in itertools.islice(parts, processes + AHEAD)]
        while waiting:
            part = waiting.pop(0).result()
            waiting += [pool.submit(_prepare, *more) for more in itertools.islice(parts, 1)]
            yield part


_domains = Domains()


def _know(registered: list[Domain]) -> None:
    global _domains  # noqa: PLW0603  a process has one index
    _domains = Domains(registered)


def _begin(registered: list[Domain]) -> None:
    """In a process that prepares: the domains there are. It ends with the process that writes, even by kill -9."""
    _know(registered)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare(number: int, lines: list[bytes]) -> Part:
    return prepare_lines(_domains, lines, number * LINES + 1)


def _blocks(parts: Iterable[Part], size: int, refused: list[Refused]) -> Iterator[Columns]:
    held: list[Columns] = []
    for prepared, wrong in parts:
        refused += wrong
        held.append(prepared)
        if sum(map(len, held)) >= size:
            rows = Columns.joined(held)
            whole = len(rows) // size * size
            yield from (rows.cut(at, at + size) for at in range(0, whole, size))
            held = [rows.cut(whole, len(rows))]
    if sum(map(len, held)):
        yield Columns.joined(held)


def _register(at: Desk, file: Path) -> None:
    """Visit cards that the file names and nobody has registered."""
    if file == STDIN:
        raise FileError("--new-domains reads the file twice: give it a name")
    known = {one.code for one in at.index.finder.domains()}
    decode = msgspec.json.Decoder(_Source).decode
    with file.open("rb") as lines:
        for line in lines:
            try:
                source = decode(line).source
            except msgspec.DecodeError:
                continue  # told when it is loaded
            if source not in known and source.startswith(_NEW):
                known.add(source)
                at.index.master.add_domain(visit_card(source.removeprefix(_NEW), source.removeprefix(_NEW), at.now))


def _tell(done: Counter[str], refused: list[Refused], seconds: float, rejects: Path) -> None:
    total = sum(done.values())
    parts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(done.items()))
    typer.echo(f"\r{total:,} records in {seconds:.1f} s ({total / seconds:,.0f} a second): {parts or 'none'}")
    if refused:
        with rejects.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("line", "reason"), *((one.number, one.reason) for one in refused)])
        typer.echo(f"{len(refused):,} lines refused: {rejects}", err=True)
