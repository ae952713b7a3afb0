"""ehc index train: weights of the index's own records in place of those that it began with; both engines."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer

from ehc.cli.database import ConfigFile, Database
from ehc.cli.index_desk import desk
from ehc.index.batch import pairs_of_blocks
from ehc.index.compare import View, view
from ehc.index.index import Index
from ehc.index.keys import BLOCKS, blocks
from ehc.index.record import Record
from ehc.index.training import patterns, random_pairs, train, with_frequencies
from ehc.index.weights import Model, Scorer, to_json
from ehc.store import splink_batch

AT_RANDOM = 200_000
HELP = "splink: by Splink on DuckDB, on all cores (pip install 'ehc[index]')"


class Engine(StrEnum):
    PLAIN = "plain"
    SPLINK = "splink"


def train_index(
    *,
    engine: Annotated[Engine, typer.Option(help=HELP)] = Engine.PLAIN,
    seed: Annotated[int, typer.Option(help="of the pairs that are taken at random")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the model, keep the one in use")] = False,
    database: Database = None,
    config_file: ConfigFile = None,
) -> None:
    """Find weights by EM over the index's records, and use them from now on.

    Models of before stay in the database. Prior and thresholds are not trained.
    """
    with desk(database, config_file) as at:
        found = trained(at.index, engine, seed)
        if dry_run:
            typer.echo(to_json(found))
            return
        number = at.index.store.set_model(to_json(found), at.now, at.act("ehc index train").by)
    typer.echo(f"model {number} is in use")


def trained(index: Index, engine: Engine, seed: int) -> Model:
    """The model in use, with weights of the records that there are."""
    bodies = {one.record: one.body for one in index.batch.everything()}
    return (_by_splink if engine is Engine.SPLINK else _plainly)(index.book.now().model, bodies, seed)


def _plainly(model: Model, bodies: dict[int, Record], seed: int) -> Model:
    views = {number: view(body) for number, body in bodies.items()}
    pairs, _ = pairs_of_blocks(bodies)
    scorer, every = Scorer(model), list(views.values())
    likely = patterns(scorer, ((views[one], views[other]) for one, other in pairs))
    return train(model, every, likely, patterns(scorer, random_pairs(every, AT_RANDOM, seed)), model.prior)


def _by_splink(model: Model, bodies: dict[int, Record], seed: int) -> Model:
    views = {number: view(body) for number, body in bodies.items()}
    found = splink_batch.train(model, views, _keys(bodies), BLOCKS, seed)
    return with_frequencies(found, list(views.values()))


def pairs_by_splink(index: Index) -> Iterable[tuple[int, int]]:
    """Pairs that Splink scores from `lower` on with the model in use."""
    bodies = {one.record: one.body for one in index.batch.everything()}
    views: dict[int, View] = {number: view(body) for number, body in bodies.items()}
    model = index.book.now().model
    return [(one.one, one.other) for one in splink_batch.score(model, views, _keys(bodies), model.lower)]


def _keys(bodies: dict[int, Record]) -> dict[int, dict[str, str]]:
    return {number: {kind: str(key) for kind, key in blocks(body)} for number, body in bodies.items()}
