"""The bench tables of README.md and bench/README.md, generated from the newest kept result.

python bench/table.py --write | --check
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import results
import two_threads
from figures import significant
from gate import GMSSL, PACKED, USUAL, WELL
from kernel_tables import kernels
from results import rate, ratio, spread

ROOT = Path(__file__).parent.parent
MARKERS = re.compile(r"(<!-- bench:begin -->\n).*?(<!-- bench:end -->)", re.DOTALL)

JOBS = (
    ("card ids, packed batch", "derive", PACKED),
    ("card ids, list of tuples", "derive", "ehc, list of tuples"),
    ("card ids, Arrow columns", "derive", "ehc, Arrow columns"),
    ("card ids, tuples to hex strings", "derive", "ehc, tuples to hex strings"),
    ("card ids, one call a person", "derive", "ehc, one call a person"),
    ("codes checked, `check_batch`", "check", "ehc, check_batch"),
    ("codes checked, one `check_token` each", "check", "ehc, check_token"),
    ("compact codes checked, `check_compact_batch`", "check E2", "ehc, check_compact_batch"),
    ("validity tokens, `make_tokens`", "make token", "ehc, make_tokens"),
    ("validity tokens, one `make_token` each", "make token", "ehc, make_token"),
    ("SM4-ECB, 1 MiB, MB", "sm4-ecb", "ehc"),
    ("SM3, 1 MiB, MB", "sm3", "ehc"),
    ("`ehc derive`, CSV to CSV, rows (gmssl: a script, on a sample)", "derive a file", "ehc derive"),
)
PEERS = (WELL, USUAL, GMSSL)
SCRIPT = "script with gmssl"


class Unmarked(ValueError):
    """A README has no place for the table."""


def _scaled(group: dict[str, Any], value: float) -> str:
    return significant(value / 1e6 if group["unit"] == "bytes" else value)


def summary(result: dict[str, Any]) -> str:
    """One line a job: ours, and each peer with how many times faster ours is."""
    lines = [f"| a second | ehc | {' | '.join(PEERS)} |", "|---|--:|--:|--:|--:|"]
    for job, group, ours in JOBS:
        own = rate(result, group, ours)
        if own is not None:
            cells = [_peer(result, group, ours, peer) for peer in PEERS]
            lines.append(f"| {job} | {_scaled(result['groups'][group], own)} | {' | '.join(cells)} |")
    single = results.beyond_an_empty_call(result)
    calls = ", ".join(f"{name} {significant(ns)} ns" for name, ns in single.items())
    told = ["", f"One token a call through Python, beyond an empty call: {calls}."] if calls else []
    return "\n".join([*lines, *told, "", _where(result)])


def _peer(result: dict[str, Any], group: str, ours: str, peer: str) -> str:
    """A peer's rate and ours over it; for whole files the script stands in gmssl's column."""
    theirs = SCRIPT if group == "derive a file" and peer == GMSSL else peer
    times = ratio(result, group, ours, theirs)
    if times is None:
        return "–"
    return f"{_scaled(result['groups'][group], rate(result, group, theirs) or 0)} (×{significant(times, 2)})"


def _where(result: dict[str, Any]) -> str:
    machine = result["machine"]
    kind = " ".join(filter(None, (machine["architecture"], machine["family_model"])))
    return (
        f"×: how many times faster ehc is; under 1, the peer is. {machine['model']} ({kind}), one thread on one of "
        f"{machine['cores']} cores, tier `{result['tier']}`, {result['compiler']}, Python "
        f"{result['versions']['python']}, {', '.join(result['peers'])}, {result['date'][:10]}. "
        f"How it was measured: [bench/](bench/README.md)."
    )


def details(result: dict[str, Any]) -> str:
    """Every contender of every group, with the spread of the laps."""
    lines = [
        "| job | contender | items a run | a second, median | lowest lap | highest lap |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name, group in result["groups"].items():
        for contender, laps in group["contenders"].items():
            low, middle, high = (_scaled(group, value) for value in spread(laps["per_second"]))
            unit = "MB" if group["unit"] == "bytes" else group["unit"]
            lines.append(f"| {name}, {unit} | {contender} | {laps['items']:,} | {middle} | {low} | {high} |")
    return "\n".join(lines)


def scaling(result: dict[str, Any]) -> str:
    """Rows a call, memory, and two threads beside one; empty when the curves were not measured."""
    curves = result.get("curves")
    if not curves:
        return ""
    lines = ["| rows a call | persons/s | peak memory of the process so far, MiB |", "|--:|--:|--:|"]
    for (rows, rate_of), (_, memory) in zip(curves["rows"], curves["memory"], strict=True):
        lines.append(f"| {rows:,} | {significant(rate_of)} | {memory:,.0f} |")
    found = result.get("threads", {}).get("times")
    return "\n".join([*lines, *(["", two_threads.table(result["threads"])] if found else [])])


def pages(result: dict[str, Any]) -> dict[Path, str]:
    """File -> what stands between its markers."""
    short = summary(result)
    return {
        ROOT / "README.md": short,
        ROOT / "bench" / "README.md": "\n\n".join(
            filter(
                None,
                (short.replace("(bench/README.md)", "(#method)"), kernels(result), scaling(result), details(result)),
            )
        ),
    }


def filled(text: str, table: str, name: str) -> str:
    """The page with the table between its markers. Raises Unmarked."""
    if not MARKERS.search(text):
        raise Unmarked(f"{name}: no <!-- bench:begin --> … <!-- bench:end -->; put the two lines where the table goes")
    return MARKERS.sub(lambda marks: f"{marks[1]}{table}\n{marks[2]}", text)


def outdated(result: dict[str, Any]) -> dict[Path, str]:
    """Pages whose table is not the one this result gives -> what they should hold."""
    wanted = {file: filled(file.read_text("utf-8"), table, file.name) for file, table in pages(result).items()}
    return {file: text for file, text in wanted.items() if file.read_text("utf-8") != text}


def write(result: dict[str, Any]) -> None:
    for file, text in outdated(result).items():
        file.write_text(text, "utf-8")
        print(f"written: {file.relative_to(ROOT)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="put the tables in")
    mode.add_argument("--check", action="store_true", help="exit 1 when a table is not what the newest result gives")
    if parser.parse_args().write:
        write(results.newest())
        return 0
    stale = outdated(results.newest())
    for file in stale:
        print(f"{file.relative_to(ROOT)}: not what the newest result gives; run python bench/table.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (FileNotFoundError, Unmarked) as error:
        sys.exit(str(error))
