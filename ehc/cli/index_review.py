"""ehc index review: readers' work on what no rule may decide."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ehc.cli.database import ConfigFile, Database
from ehc.cli.index_desk import desk
from ehc.index.review import ReviewAnswer

app = typer.Typer(help="The review queue (审核队列): two readers who agree decide.", no_args_is_help=True)
Task = Annotated[int, typer.Argument(metavar="TASK", help="its number, as `ehc index review list` says")]


@app.command("list")
def list_(
    *,
    closed: Annotated[bool, typer.Option("--closed", help="those that were decided")] = False,
    after: Annotated[int, typer.Option(help="with a greater number")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Show tasks, the oldest first: which persons or record, by which rule, how many bits, how many votes."""
    table = Table("task", "matter", "persons", "record", "rule", "bits", "votes", "answer")
    with desk(database, config_file) as at:
        for one in at.index.reviewing.queue(closed=closed, after=after, limit=limit):
            persons = f"{one.person} {one.other}" if one.other else str(one.person)
            answer = "" if one.answer is None else one.answer.value
            table.add_row(
                str(one.number),
                one.matter.value,
                persons,
                str(one.record or ""),
                one.reason,
                f"{one.score:.1f}",
                str(len(one.votes)),
                answer,
            )
    Console().print(table)


@app.command()
def claim(task: Task, database: Database = None, config_file: ConfigFile = None) -> None:
    """Take a task for 15 minutes: nobody else decides it meanwhile."""
    with desk(database, config_file) as at:
        by = at.act("claimed").by
        claimed = at.index.reviewing.claim(task, by, at.now)
    typer.echo(f"task {claimed.number} is yours ({by})")


@app.command()
def decide(
    task: Task,
    answer: Annotated[ReviewAnswer, typer.Argument(help="same or different")],
    *,
    reason: Annotated[str, typer.Option(help="why; kept for ever")],
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Say whether it is the same person. It is done when a second reader says the same."""
    with desk(database, config_file) as at:
        done = at.index.reviewing.decide(task, answer, at.act(reason))
    if done.answer is None:
        typer.echo(f"task {task}: {len(done.votes)} of 2 votes; another reader must read it too")
    else:
        typer.echo(f"task {task}: {done.answer.value}, and it is done")
