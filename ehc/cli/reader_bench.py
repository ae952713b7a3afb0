"""`ehc reader bench`: the spec sheet of this reader, beside those that a vendor could take instead."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ehc.cli.info import processor
from ehc.reader.spec_sheet import OURS, Result, Tally, parts, photographs, readers, sheet

GOOD = 0.95


def bench(
    *,
    images: Annotated[int, typer.Option(min=1, max=1000, help="Photos a step and kind of code.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the photos; the same seed, the same pixels.")] = 1,
    only: Annotated[str, typer.Option(help="Degradations, or folders of pictures, with this in their name.")] = "",
    photos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Read labelled pictures instead: NAME.png and NAME.txt.")
    ] = None,
    han_xin: Annotated[
        bool, typer.Option(help="Each photo once more with a Han Xin code (pip install zint-bindings).")
    ] = False,
    han_xin_level: Annotated[
        int | None,
        typer.Option(min=1, max=4, help="Of those; default: the one that corrects nearest to what the QR code does."),
    ] = None,
    peers: Annotated[bool, typer.Option(help="Measure the others too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """How often codes are read as photos get worse, and in what time: ehc, zxing-cpp, zbar and OpenCV in turns.

    QR codes are of level M, or of a higher one where the symbol stays as small: Q of the static code, M of the dynamic.
    Beside them Han Xin codes of the same text and module are of level L3 and L2, which correct 23 and 15 % of the
    codewords where Q and M correct 25 and 15 %.

    zbar and OpenCV take part where they are installed: pip install pyzbar opencv-python-headless.
    """
    among, missing = readers() if peers else ({OURS: readers()[0][OURS]}, [])
    if photos:
        found = photographs(photos, among, only)
    else:
        found = sheet(among, images, seed, only, han_xin=han_xin, level=han_xin_level)
    results = list(_measured(found))
    if as_json:
        print(json.dumps({"processor": processor(), "missing": missing, "results": [_plain(r) for r in results]}))
        return
    console = Console()
    console.print(_rates(results, list(among)))
    if photos is None:
        console.print(_spec(results, list(among)))
    console.print(_parts(results, list(among)))
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
    first = Column("degradation", overflow="fold")
    table = Table(first, "step", "code", *names, title="read, and median milliseconds of the thread")
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
        if _total(results, reader).rate < GOOD:
            break
        reached = step
    return reached


def _parts(results: list[Result], names: list[str]) -> Table:
    """What was read of each part, and how many of a peer's failures are left with us."""
    table = Table("part", *names, title="read in all, and failures of ours for one of theirs")
    for name, part in parts(results).items():
        totals = {reader: _total(part, reader) for reader in names}
        ours = totals[OURS].shown - totals[OURS].read
        cells = [f"{100 * t.rate:.1f} %" + (f" {_ratio(ours, t)}" if r != OURS else "") for r, t in totals.items()]
        table.add_row(f"{name} ({totals[OURS].shown})", *cells)
    means = [f"{100 * mean(result.tallies[reader].rate for result in results):.1f} %" for reader in names]
    table.add_row(f"mean of {len(results)} rows", *means)
    return table


def _ratio(ours: int, theirs: Tally) -> str:
    failed = theirs.shown - theirs.read
    return f"({ours / failed:.2f})" if failed else "(-)"


def _total(results: list[Result], reader: str) -> Tally:
    tallies = [result.tallies[reader] for result in results]
    return Tally(*(sum(getattr(t, what) for t in tallies) for what in ("shown", "read", "wrong")))


def _wrong(results: list[Result], names: list[str]) -> str:
    said = []
    for name in names:
        total = _total(results, name)
        said.append(f"{name} {100 * total.rate:.1f} % of {total.shown}, {total.wrong} misread")
    return "all: " + "; ".join(said)
