"""ehc index visit-card: an institution's visit cards (就诊卡), put to the person who holds them and taken off again."""

from __future__ import annotations

from typing import Annotated

import typer

from ehc.cli.database import ConfigFile, Database
from ehc.cli.index_desk import desk
from ehc.errors import InputError, NotFound
from ehc.index.index import Index
from ehc.index.lines import Line, record_of

app = typer.Typer(help="Visit cards (就诊卡) of institutions: whose they are.", no_args_is_help=True)

Institution = Annotated[str, typer.Argument(help="its code; the domain visit-card/CODE is registered")]
Number = Annotated[str, typer.Argument(help="the visit card's number there")]
Document = Annotated[
    list[str],
    typer.Option("--document", metavar="DOMAIN=NUMBER", help="such as resident-id=…; again for each that is known"),
]


@app.command()
def bind(
    institution: Institution,
    number: Number,
    *,
    name: Annotated[str, typer.Option(help="its holder's, as the institution wrote it down")],
    document: Document = [],  # noqa: B006  typer copies it
    birth_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD")] = "",
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Say that a visit card is of this person. The same again changes nothing.

    \b
    Examples:
      ehc index domain add visit-card/H1 市一院就诊卡 H1
      ehc index visit-card bind H1 000123 --name 测试 --document passport=E00000091
      ehc index find passport E00000091
    """
    line = Line(_source(institution), number, name, birth_date=birth_date, identifiers=_identifiers(document))
    with desk(database, config_file) as at:
        record = record_of(at.index.book.now().domains, line)
        placed = at.index.master.put(record, at.act("a visit card is bound"))
    typer.echo(f"record {placed.record} stands at person {placed.person}: {placed.outcome}")


@app.command()
def unbind(
    institution: Institution,
    number: Number,
    *,
    reason: Annotated[str, typer.Option(help="why; kept for ever")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Take a visit card off its person: it stands alone from now on, and no rule puts it back."""
    with desk(database, config_file) as at:
        record = _record(at.index, _source(institution), number)
        person = at.index.master.unlink(record, at.act(reason))
    typer.echo(f"record {record} stands at person {person} now, alone")


def _source(institution: str) -> str:
    return f"visit-card/{institution}"


def _identifiers(documents: list[str]) -> dict[str, str]:
    """Raises InputError."""
    parts = [one.partition("=") for one in documents]
    if not all(domain and number for domain, _, number in parts):
        raise InputError("document: DOMAIN=NUMBER is wanted, such as passport=E00000091")
    return {domain: number for domain, _, number in parts}


def _record(index: Index, source: str, number: str) -> int:
    """Raises NotFound."""
    persons = index.finder.by_identifier(source, number)
    told = (one for person in persons for one in person.records)
    for one in told:
        if (one.body.source, one.body.local_id) == (source, number):
            return one.record
    raise NotFound("nobody in the index has this visit card")
