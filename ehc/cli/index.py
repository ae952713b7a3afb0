"""ehc index: the master index (跨域主索引) from the command line. Readers' work: index_review.py."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from ehc.cli import index_bench, index_load, index_review, index_train, index_visit_cards
from ehc.cli.database import ConfigFile, Database
from ehc.cli.index_desk import desk
from ehc.errors import FileError, InputError, NotFound
from ehc.index.domain import new_domain
from ehc.index.generate import Population
from ehc.index.person import Person

app = typer.Typer(
    help="The master index (跨域主索引): one person, many numbers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
domains = typer.Typer(help="Identity domains (标识域): who assigns which numbers.", no_args_is_help=True)
app.add_typer(domains, name="domain")
app.add_typer(index_review.app, name="review")
app.add_typer(index_visit_cards.app, name="visit-card")
app.command()(index_load.load)
app.command()(index_bench.bench)
app.command("train")(index_train.train_index)
Key = Annotated[int, typer.Argument(metavar="PERSON", help="its key, as `ehc index find` says")]
Reason = Annotated[str, typer.Option(help="why; kept for ever")]


@domains.command("add")
def add_domain(
    code: Annotated[str, typer.Argument(help="such as visit-card/H1; unique for ever")],
    name: Annotated[str, typer.Argument(help="such as 市一院就诊卡")],
    authority: Annotated[str, typer.Argument(help="who assigns its numbers")],
    *,
    system: Annotated[str, typer.Option(help="its URI in FHIR; else urn:ehc:domain:CODE")] = "",
    strong: Annotated[bool, typer.Option("--strong", help="the same number means the same person")] = False,
    single: Annotated[bool, typer.Option("--single", help="a person has one for life")] = False,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Register an identity domain, once.

    \b
    Examples:
      ehc index domain add visit-card/H1 市一院就诊卡 H1
      ehc index domain add student-card 学生证 教育部 --strong
    """
    with desk(database, config_file) as at:
        made = at.index.master.add_domain(
            new_domain(code, name, authority, system, strong=strong, single=single, now=at.now)
        )
    typer.echo(f"{made.code}: {made.system}")


@domains.command("list")
def list_domains(database: Database = None, config_file: ConfigFile = None) -> None:
    """Show every identity domain."""
    table = Table("code", "name", "authority", "strong", "single", "system")
    with desk(database, config_file) as at:
        for one in sorted(at.index.finder.domains(), key=lambda one: one.code):
            table.add_row(one.code, one.name, one.authority, _yes(one.strong), _yes(one.single), one.system)
    Console().print(table)


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""


@app.command()
def find(
    domain: Annotated[str, typer.Argument(help="such as resident-id; - for a person's key")],
    number: Annotated[str, typer.Argument(help="the number in that domain")],
    *,
    at_time: Annotated[int | None, typer.Option("--at", metavar="SECONDS", help="as of this second since 1970")] = None,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Show who has a number, masked, with the numbers of all domains that this person has."""
    with desk(database, config_file) as at:
        known = [] if domain == "-" else at.index.finder.by_identifier(domain, number)
        keys = [_number(number)] if domain == "-" else [one.key for one in known]
        if not keys:
            raise NotFound("nobody in the index has this number")
        for key in keys:
            _show(at.index.finder.person(key) if at_time is None else at.index.finder.person_at(key, at_time))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise InputError("person: a key is a whole number")
    return int(text)


def _show(person: Person) -> None:
    name = person.value("name")
    typer.echo(f"person {person.key}: {'*' * (len(name) - 1)}{name[-1:]}, {len(person.records)} records")
    for one in person.identifiers:
        ended = "" if one.until is None else f"  until {time.strftime('%Y-%m-%d', time.gmtime(one.until))}"
        unsound = "" if one.sound else "  (its check characters do not hold)"
        typer.echo(
            f"  {one.domain:28} {one.value[:1]}{'*' * max(0, len(one.value) - 2)}{one.value[1:][-1:]}{ended}{unsound}"
        )


@app.command()
def merge(one: Key, other: Key, *, reason: Reason, database: Database = None, config_file: ConfigFile = None) -> None:
    """Say that two persons are one. `ehc index unmerge` takes it back, exactly."""
    with desk(database, config_file) as at:
        typer.echo(f"both are person {at.index.master.merge(one, other, at.act(reason))} now")


@app.command()
def unmerge(person: Key, *, reason: Reason, database: Database = None, config_file: ConfigFile = None) -> None:
    """Take a merge back: the person is what it was, and no rule merges the two again."""
    with desk(database, config_file) as at:
        typer.echo(f"person {at.index.master.unmerge(person, at.act(reason))} is a person again")


@app.command()
def unlink(
    record: Annotated[int, typer.Argument(metavar="RECORD")],
    *,
    reason: Reason,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Take a record away from its person; it stands at a new one."""
    with desk(database, config_file) as at:
        typer.echo(f"record {record} stands at person {at.index.master.unlink(record, at.act(reason))} now")


@app.command()
def match(
    *,
    engine: Annotated[index_train.Engine, typer.Option(help=index_train.HELP)] = index_train.Engine.PLAIN,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Hold all records against each other: merge what is sure, put what is not into the review queue.

    What readers decided stays. For when the weights are others (`ehc index train`)
    than those by which the records came in.
    """
    with desk(database, config_file) as at:
        pairs = index_train.pairs_by_splink(at.index) if engine is index_train.Engine.SPLINK else None
        done = at.index.batch.run(at.act("ehc index match"), pairs)
    found = done.blocking
    typer.echo(f"{found.records:,} records, {found.blocks:,} blocks, {found.pairs:,} pairs held against each other")
    for kind, records in sorted(found.too_large.items()):
        typer.echo(f"  {records:,} records stood in blocks of {kind} too large to say anything")
    typer.echo(f"{done.merged:,} merged, {done.reviews:,} for readers, {done.refused:,} refused when it came to them")


@app.command()
def generate(
    persons: Annotated[int, typer.Argument(min=1, max=100_000_000)],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="NDJSON, a new file")],
    seed: Annotated[int, typer.Option(help="the same seed, the same people")] = 1,
) -> None:
    """Write an invented population of China as hospitals would have recorded it, 15 % of it twice.

    Every line says in `truth` who it is, which no rule reads. The hospitals are
    visit-card/G00 to G39: `ehc index load --new-domains` registers them.
    """
    encode, count = msgspec.json.Encoder().encode, 0
    try:
        with output.open("xb") as out:
            for count, line in enumerate(Population(persons, seed).rows(), 1):  # noqa: B007  told below
                out.write(encode(line) + b"\n")
    except FileExistsError as error:
        raise FileError(f"{output} is there already: it is not written over") from error
    except OSError as error:
        raise FileError(f"{output}: {error.strerror}") from error
    typer.echo(f"{output}: {count:,} records of {persons:,} persons, seed {seed}")
