"""ehc index load: files of records into the master index, prepared in processes beside the one that writes."""

from __future__ import annotations

import csv
import gc
import io
import itertools
import os
import re
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

import msgspec
import typer

from ehc.cards.accounts import Act
from ehc.cli.database import ConfigFile, Database
from ehc.cli.index_desk import Desk, desk
from ehc.errors import FileError, InputError
from ehc.index.domain import NATIONAL, Domain, Domains, visit_card
from ehc.index.lines import Columns, Refused, prepare_lines
from ehc.index.loading import BLOCK
from ehc.index.names import latin

PART = 1 << 20
"""Bytes of lines that a process prepares at a time: some thousands."""
AHEAD = 32
"""Parts that are prepared before they are written: a block or so."""
FIRST = 4_096
"""Records of the first block."""
STDIN = Path("-")
_NEW = "visit-card/"
_SOURCE = re.compile(rb'\{\s*"source"\s*:\s*"([^"\\]*)"')
"""How most lines begin."""

Part = tuple[Columns, list[Refused]]


class _Source(msgspec.Struct):
    source: str


class Cut(NamedTuple):
    """Whole lines of a file. Whoever prepares them reads them: a file that was just read is quicker than a pipe."""

    file: str
    begin: int
    size: int

    def read(self) -> bytes:
        with open(self.file, "rb") as file:
            file.seek(self.begin)
            return file.read(self.size)


Prepare = Callable[[list[Domain], int, Cut | bytes], Callable[[], Part]]
"""Begins to prepare lines; called again, what came of it. Registered domains, the number of the first line, lines."""


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
    with _open(file) as lines, _preparing(processes) as prepare, desk(database, config_file) as at:
        if new_domains:
            _register(at, file)
        act = at.act("ehc index load")
        at.index.loader.expect_many()
        _collect_seldom()
        _yield_often()
        parts = _prepared(lines, file, list(at.index.finder.domains()), prepare, processes)
        for rows in _blocks(parts, block, refused):
            done += at.index.loader.load(rows, Act(at.now, act.by, act.reason))
            typer.echo(f"\r{sum(done.values()):,} records", err=True, nl=False)
    seconds = time.monotonic() - began
    name = "stdin" if file == STDIN else file.name
    _tell(done, refused, seconds, rejects or file.with_name(f"{name}.rejects.csv"))


def _open(file: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if file == STDIN else file.open("rb")
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error


@contextmanager
def _preparing(processes: int) -> Iterator[Prepare]:
    """Whoever prepares, begun already: it is ready when the database is. It ends with this process, even by kill -9."""
    if not processes:
        yield lambda *told: lambda: _prepare(*told)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        for _ in range(processes):
            pool.submit(_warm)
        yield lambda *told: pool.submit(_prepare, *told).result


def _prepared(lines: BinaryIO, file: Path, domains: list[Domain], prepare: Prepare, processes: int) -> Iterator[Part]:
    """In the order of the file; while one block is written the next ones are prepared."""
    registered = [one for one in domains if one not in NATIONAL]
    parts = _cuts(lines, file) if processes and file.is_file() and file != STDIN else _parts(lines)
    begun = (prepare(registered, first, some) for first, some in parts)
    waiting = deque(itertools.islice(begun, processes and processes + AHEAD))
    for more in begun:
        waiting.append(more)
        yield waiting.popleft()()
    yield from (one() for one in waiting)


def _parts(lines: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Whole lines, and the number of the first: one object of a thousand goes to another process at the cost of one."""
    first = 1
    while some := lines.read(PART):
        some += lines.readline()
        yield first, some
        first += some.count(b"\n")


def _cuts(lines: BinaryIO, file: Path) -> Iterator[tuple[int, Cut]]:
    """The same as places in the file."""
    begin = 0
    for first, some in _parts(lines):
        yield first, Cut(str(file), begin, len(some))
        begin += len(some)


def _prepare(registered: list[Domain], first: int, lines: Cut | bytes) -> Part:
    text = lines.read() if isinstance(lines, Cut) else lines
    return prepare_lines(Domains(registered), io.BytesIO(text), first)


def _begin() -> None:
    _collect_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _warm() -> None:
    latin("张")


def _collect_seldom() -> None:
    """Of millions of objects that no ring holds together, looking for rings takes a quarter of the time."""
    gc.freeze()
    gc.set_threshold(1_000_000)


def _yield_often() -> None:
    """Who prepares waits for the thread that takes its parts in, 64 KiB of a pipe at a time, and that one for this."""
    sys.setswitchinterval(1e-4)


def _blocks(parts: Iterable[Part], most: int, refused: list[Refused]) -> Iterator[Columns]:
    """The first ones are smaller: whoever writes need not wait until a whole one is prepared."""
    held, size = list[Columns](), min(FIRST, most)
    for prepared, wrong in parts:
        refused += wrong
        held.append(prepared)
        while sum(map(len, held)) >= size:
            rows = Columns.joined(held)
            yield rows.cut(0, size)
            held, size = [rows.cut(size, len(rows))], min(2 * size, most)
    if sum(map(len, held)):
        yield Columns.joined(held)


def _register(at: Desk, file: Path) -> None:
    """Visit cards that the file names and nobody has registered."""
    if file == STDIN:
        raise FileError("--new-domains reads the file twice: give it a name")
    known = {one.code for one in at.index.finder.domains()}
    seen, decode = set[bytes](), msgspec.json.Decoder(_Source).decode
    with file.open("rb") as lines:
        for line in lines:
            begins = _SOURCE.match(line)
            if begins and begins[1] in seen:
                continue
            try:
                source = decode(line).source
            except msgspec.DecodeError:
                continue  # told when it is loaded
            if begins:
                seen.add(begins[1])
            if source not in known and source.startswith(_NEW):
                known.add(source)
                with suppress(InputError):  # no code: told when it is loaded
                    at.index.master.add_domain(visit_card(source.removeprefix(_NEW), source.removeprefix(_NEW), at.now))


def _tell(done: Counter[str], refused: list[Refused], seconds: float, rejects: Path) -> None:
    total = sum(done.values())
    parts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(done.items()))
    typer.echo(f"\r{total:,} records in {seconds:.1f} s ({total / seconds:,.0f} a second): {parts or 'none'}")
    if refused:
        with rejects.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("line", "reason"), *((one.number, one.reason) for one in refused)])
        typer.echo(f"\r{len(refused):,} lines refused: {rejects}", err=True)
