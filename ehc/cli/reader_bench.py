"""`ehc reader bench`: the spec sheet of this reader, beside those that a vendor could take instead."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ehc.cli.info import processor
from ehc.reader.spec_sheet import OURS, Result, photographs, readers, sheet

GOOD = 0.95


def bench(
    *,
    images: Annotated[int, typer.Option(min=1, max=1000, help="Photos a step and kind of code.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the photos; the same seed, the same pixels.")] = 1,
    only: Annotated[str, typer.Option(help="Degradations with this in their name.")] = "",
    photos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Read labelled pictures instead: NAME.png and NAME.txt.")
    ] = None,
    peers: Annotated[bool, typer.Option(help="Measure the others too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """How often codes are read as photos get worse, and in what time: ehc, zxing-cpp, zbar and OpenCV in turns.

    zbar and OpenCV take part where they are installed: pip install pyzbar opencv-python-headless.
    """
    among, missing = readers() if peers else ({OURS: readers()[0][OURS]}, [])
    results = list(_measured(photographs(photos, among) if photos else sheet(among, images, seed, only)))
    if as_json:
        print(json.dumps({"processor": processor(), "missing": missing, "results": [_plain(r) for r in results]}))
        return
    console = Console()
    console.print(_rates(results, list(among)))
    if photos is None:
        console.print(_spec(results, list(among)))
    console.print(_wrong(results, list(among)))
    for line in missing:
        console.print(f"[yellow]not measured[/] {line}")


def _measured(results: Iterator[Result]) -> Iterator[Result]:
    """Says on a terminal what was measured last."""
    console = Console(stderr=True)
    for result in results:
        if console.is_terminal:
            console.print(f"[dim]{result.name} {result.step} {result.code}[/]")
        yield result


def _plain(result: Result) -> dict[str, object]:
    tallies = {name: {k: v for k, v in asdict(t).items() if k != "seconds"} for name, t in result.tallies.items()}
    for name, tally in result.tallies.items():
        tallies[name]["milliseconds"] = round(tally.milliseconds, 3)
    return {"name": result.name, "step": result.step, "code": result.code, "readers": tallies}


def _rates(results: list[Result], names: list[str]) -> Table:
    table = Table("degradation", "step", "code", *names, title="read, and median milliseconds of the thread")
    for result in results:
        cells = [f"{t.read}/{t.shown} {t.milliseconds:6.2f}" for t in (result.tallies[name] for name in names)]
        table.add_row(result.name, result.step, result.code, *cells)
    return table


def _spec(results: list[Result], names: list[str]) -> Table:
    """The hardest step up to which every step was read in at least 95 of 100 photos."""
    steps: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        steps[result.name][result.step].append(result)
    table = Table("degradation", *names, title="hardest step read in 95 of 100 photos")
    for name, by_step in steps.items():
        table.add_row(name, *(_hardest(by_step, reader) for reader in names))
    return table


def _hardest(by_step: dict[str, list[Result]], reader: str) -> str:
    reached = "-"
    for step, results in by_step.items():
        tallies = [result.tallies[reader] for result in results]
        if sum(t.read for t in tallies) < GOOD * sum(t.shown for t in tallies):
            break
        reached = step
    return reached


def _wrong(results: list[Result], names: list[str]) -> str:
    said = []
    for name in names:
        tallies = [result.tallies[name] for result in results]
        read, shown, wrong = (sum(getattr(t, what) for t in tallies) for what in ("read", "shown", "wrong"))
        said.append(f"{name} {100 * read / max(shown, 1):.1f} % of {shown}, {wrong} misread")
    return "all: " + "; ".join(said)
