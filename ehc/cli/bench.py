"""`ehc bench`: how fast this machine derives and checks, beside the libraries that are installed on it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ehc.cli import measure
from ehc.cli.info import core, processor, versions
from ehc.errors import FileError, InputError

METHOD = (
    "one thread but where threads are named; laps, each timing every contender in turn; the rate of the quietest tenth "
    "of the laps; a ratio is the median of the laps' ratios; every answer compared before"
)
BAR = 46


def bench(
    seconds: Annotated[float, typer.Option(min=0.1, max=280, help="About how long to measure.")] = 60,
    rows: Annotated[int, typer.Option(min=1, max=10_000_000, help="Largest batch of the curves.")] = 1_000_000,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the figures; needs matplotlib.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Measure card ids, codes, SM4 and SM3 on this machine, beside the libraries installed on it.

    cryptography always takes part; gmssl and tongsuopy where they are installed: pip install 'ehc\\[bench]'.
    """
    drawing = None if plot is None else pyplot()
    found = result(seconds, rows)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found, Console())
    if plot is not None:
        draw(found, plot, drawing)


def result(seconds: float, rows: int) -> dict[str, Any]:
    """Everything that was measured, and on what: never host or user."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": processor(),
        "core": core(),
        "versions": versions(),
        "peers": {peer.name: peer.version for peer in measure.peers()},
        "method": METHOD,
        "jobs": measure.jobs(seconds * 0.6),
        "tiers": measure.tiers(core()["supported"], seconds * 0.15),
        "curves": measure.curves(rows, seconds * 0.25),
    }


def _print(found: dict[str, Any], console: Console) -> None:
    for line in where(found):
        console.print(line, highlight=False)
    console.print(_table(found))
    for title, bars in figures(found).items():
        console.print(f"\n[bold]{title}[/] (a logarithmic scale)")
        for name, value in bars.items():
            console.print(f"{name:>22} {'█' * _length(value, bars)} {value:,.0f}", highlight=False)
    (_, one), *more = found["curves"]["threads"]
    if more:
        rows, times = found["curves"]["rows"][-1][0], more[-1][1] / one
        console.print(f"\n{more[-1][0]:.0f} threads do {times:.2f} times what one does, {rows:,.0f} rows a call")
    memory = found["curves"]["memory"]
    console.print(f"memory of this process: {memory[0][1]:,.0f} MiB before, {memory[-1][1]:,.0f} MiB at the peak")


def where(found: dict[str, Any]) -> list[str]:
    """Machine, tier, compiler and method, a line each."""
    machine, compiled = found["machine"], found["core"]
    peers = ", ".join(f"{name} {version}" for name, version in found["peers"].items())
    return [
        f"{machine['model']} ({machine['architecture']} {machine['family_model']}), {machine['cores']} cores",
        f"ehc {found['versions']['ehc']}, tier {compiled['chosen']}, {compiled['compiler']}; Python "
        f"{found['versions']['python']}; {peers}; {found['date']}",
        f"method: {found['method']}",
    ]


def _table(found: dict[str, Any]) -> Table:
    table = Table()
    for column, justify in (("job", "left"), ("who", "left"), ("a second", "right"), ("ehc is", "right")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    for job, one in found["jobs"].items():
        scale, unit = (1e6, "MB") if one["unit"] == "bytes" else (1, one["unit"])
        for name, figure in one["contenders"].items():
            times = "" if name == measure.OURS else f"{figure['times']:,.2f} ×"
            table.add_row(f"{job}, {unit}", name, f"{figure['per_second'] / scale:,.{2 if scale > 1 else 0}f}", times)
    return table


def figures(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Title -> bars."""
    contenders = found["jobs"]["card ids"]["contenders"]
    curves = found["curves"]
    return {
        "card ids a second": {name: figure["per_second"] for name, figure in contenders.items()},
        "card ids a second, by tier": found["tiers"],
        "card ids a second, by rows a call": {f"{size:,}": rate for size, rate in curves["rows"]},
        "card ids a second, by threads": {str(threads): rate for threads, rate in curves["threads"]},
    }


def _length(value: float, bars: dict[str, float]) -> int:
    """Of a bar, in characters: logarithmic, from a tenth of the least."""
    least, most = math.log10(min(bars.values()) / 10), math.log10(max(bars.values()))
    return max(1, round(BAR * (math.log10(value) - least) / (most - least)))


def pyplot() -> Any:
    """matplotlib's, drawing into files. Raises InputError without it."""
    try:
        import_module("matplotlib").use("Agg")
        return import_module("matplotlib.pyplot")
    except ImportError as error:
        raise InputError("--plot draws with matplotlib, which is not installed: pip install 'ehc[bench]'") from error


def draw(found: dict[str, Any], file: Path, drawing: Any) -> None:
    """The four figures as one picture. Raises FileError."""
    figure, axes = drawing.subplots(2, 2, figsize=(13, 8), layout="constrained")
    for axis, (title, bars) in zip(axes.flat, figures(found).items(), strict=True):
        if "rows" in title:
            axis.loglog(*zip(*found["curves"]["rows"], strict=True), marker="o")
            axis.grid(visible=True, alpha=0.4)
        else:
            drawn = axis.barh(list(bars), list(bars.values()))
            axis.bar_label(drawn, labels=[f"{value:,.0f}" for value in bars.values()], padding=3)
            axis.invert_yaxis()
            axis.margins(x=0.25)
            if len(bars) > 1 and "threads" not in title:
                axis.set_xscale("log")
                axis.set_xlabel("logarithmic scale")
                axis.set_xlim(min(bars.values()) / 10, max(bars.values()) * 30)
        axis.set_title(title)
    figure.suptitle("\n".join(where(found)[:2]), fontsize=9)
    try:
        figure.savefig(file, dpi=110)
    except (OSError, ValueError) as error:
        raise FileError(f"{file}: the plot cannot be written: {error}") from error
    finally:
        drawing.close(figure)
