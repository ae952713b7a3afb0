"""ehc index bench: the master index over an invented population: how fast it takes it, how right it merges, how fast a
number is found. As its user would: generate, load and match as processes of their own."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Annotated, Any

import msgspec
import typer

from ehc.cli.database import Database
from ehc.config import Settings
from ehc.errors import Conflict, Unavailable
from ehc.index.index import Index, index_over
from ehc.index.keys import identifier_keys
from ehc.index.lines import Line
from ehc.index.measure import completeness, quality
from ehc.index.weights import from_json, to_json
from ehc.wiring.stores import open_store

LOOK_UPS = 20_000
Truth = dict[tuple[str, str], int]


def bench(
    persons: Annotated[int, typer.Argument(min=100, max=100_000_000)] = 10_000,
    *,
    seed: Annotated[int, typer.Option(help="the same seed, the same people")] = 1,
    folder: Annotated[Path | None, typer.Option(help="where file and SQLite database stand meanwhile")] = None,
    keep: Annotated[Path | None, typer.Option(metavar="FILE", help="write the figures here too")] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="weights to judge, as `ehc index train --dry-run` prints them")
    ] = None,
    database: Database = None,
) -> None:
    """Load, match and judge an invented population, 15 % of it twice.

    The truth, which the file has and no rule reads, is held against what the
    database says: precision and recall are over pairs of records. Look-ups are
    measured in one process, each a full answer. A database that is named must
    be empty.

    \b
    Examples:
      ehc index bench 10000
      ehc index bench 1000000 --database postgresql:///fresh --keep figures.json
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        text = json.dumps(_measure(persons, seed, database or "", Path(place), model), indent=1)
    typer.echo(text)
    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        keep.write_text(text + "\n", "utf-8")


def _measure(persons: int, seed: int, database: str, folder: Path, model: Path | None) -> dict[str, Any]:
    file = folder / "people.ndjson"
    environment = os.environ | {"EHC_HOME": str(folder)} | ({"EHC_DATABASE": database} if database else {})
    stores = open_store(Settings(home=str(folder), database=database))
    index = index_over(stores.index)
    if index.store.events(0, 1):
        raise Conflict("the database has an index already: give the bench an empty one")
    if model is not None:
        index.store.set_model(to_json(from_json(model.read_bytes())), 0, "ehc index bench")
    _run("generate", str(persons), "--seed", str(seed), "-o", str(file), environment=environment)
    loaded, load_seconds = _run("load", str(file), "--new-domains", environment=environment)
    matched, match_seconds = _run("match", environment=environment)
    truth = _truth_of(file)
    found = {
        "persons": persons,
        "seed": seed,
        "records": len(truth),
        "database": database.partition(":")[0] or "sqlite",
        "load_records_a_second": _rate(loaded),
        "load_s": round(load_seconds, 1),
        "match_s": round(match_seconds, 1),
        "matched": matched.strip().splitlines()[-1],
        "look_up_ms": _look_up(index, truth, seed),
        **_judge(index, truth),
    }
    stores.close()
    return found


def _run(*arguments: str, environment: dict[str, str]) -> tuple[str, float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "ehc.cli", "index", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"ehc index {arguments[0]} ended with {done.returncode}")
    typer.echo(done.stdout.strip(), err=True)
    return done.stdout, time.perf_counter() - began


def _rate(said: str) -> int:
    found = re.search(r"\(([\d,]+) a second\)", said)
    return int(found[1].replace(",", "")) if found else 0


def _truth_of(file: Path) -> Truth:
    decode = msgspec.json.Decoder(Line).decode
    with file.open("rb") as lines:
        return {(one.source, one.local_id): one.truth for one in map(decode, lines)}


def _judge(index: Index, truth: Truth) -> dict[str, Any]:
    stored = {one.record: one for one in index.batch.everything()}
    true = {number: truth[one.body.key] for number, one in stored.items()}
    merged = quality({number: one.root for number, one in stored.items()}, true)
    blocked = completeness({number: one.body for number, one in stored.items()}, true, identifier_keys)
    by_block = {kind: round(count / blocked.pairs, 4) for kind, count in sorted(blocked.by_kind.items())}
    return {
        "true_pairs": merged.right + merged.missed,
        "wrong_pairs": merged.wrong,
        "missed_pairs": merged.missed,
        "precision": merged.precision,
        "recall": merged.recall,
        "pairs_completeness": blocked.share,
        "completeness_by_block": by_block,
    }


def _look_up(index: Index, truth: Truth, seed: int) -> dict[str, float]:
    keys = Random(seed).sample(sorted(truth), min(LOOK_UPS, len(truth)))  # noqa: S311  a sample
    times = []
    for source, local_id in keys:
        began = time.perf_counter_ns()
        found = index.finder.by_identifier(source, local_id)
        times.append((time.perf_counter_ns() - began) / 1e6)
        if not any((one.domain, one.value) == (source, local_id) for person in found for one in person.identifiers):
            raise Unavailable("a look-up did not find what was loaded")
    thousandths = statistics.quantiles(times, n=1000)
    return {name: round(thousandths[at], 3) for name, at in (("p50", 499), ("p99", 989), ("p99.9", 998))}
