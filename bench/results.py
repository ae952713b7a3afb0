"""Laps -> one result file a kind of machine: what was measured, on what, with what, when and how.

A file holds the rate of every contender in every lap, so that ratios can be taken lap by lap. It names the machine by
its processor, never by host or user.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from peers import gmssl_python, openssl_well, optional

from ehc.cli.info import core, processor, versions

FOLDER = Path(__file__).parent / "results"
METHOD = (
    "One thread on one core. Laps: each lap times every contender of a group in turn, as the "
    "median of 3 runs after a warm-up (whole processes: one run); a rate is the median of the laps, a ratio the median "
    "of the laps' ratios. Every run's answer is compared with the others' and with the specification's vectors, off "
    "the clock."
)

CALLS, EMPTY = "one call", "a call that does nothing"
"""The group of single tokens through Python, and the contender that they are told beyond."""


class Lap(NamedTuple):
    """One contender timed once."""

    group: str
    unit: str
    contender: str
    items: int
    lap: int
    seconds: float  # for all the items


def laps(benchmark_json: dict[str, Any]) -> list[Lap]:
    """The laps in a file that pytest-benchmark wrote (--benchmark-json)."""
    return [
        Lap(b["group"], x["unit"], x["contender"], x["items"], x["lap"], b["stats"]["median"])
        for b in benchmark_json["benchmarks"]
        for x in (b["extra_info"],)
    ]


def groups(measured: Iterable[Lap]) -> dict[str, Any]:
    """Group -> unit and contenders; contender -> items a run, and items/s lap by lap."""
    found: dict[str, Any] = {}
    for lap in sorted(measured, key=lambda lap: lap.lap):
        group = found.setdefault(lap.group, {"unit": lap.unit, "contenders": {}})
        contender = group["contenders"].setdefault(lap.contender, {"items": lap.items, "per_second": []})
        contender["per_second"].append(round(lap.items / lap.seconds))
    return found


def spread(rates: list[int]) -> tuple[float, float, float]:
    """Lowest, median, highest."""
    return min(rates), median(rates), max(rates)


def rate(result: dict[str, Any], group: str, contender: str) -> float | None:
    """Median of the laps; None for what was not measured."""
    laps = result["groups"].get(group, {}).get("contenders", {}).get(contender)
    return median(laps["per_second"]) if laps else None


def ratio(result: dict[str, Any], group: str, ours: str, theirs: str) -> float | None:
    """How many times faster ours is: median over the laps of the ratio within a lap; None if one was not measured."""
    contenders = result["groups"].get(group, {}).get("contenders", {})
    if ours not in contenders or theirs not in contenders:
        return None
    pairs = zip(contenders[ours]["per_second"], contenders[theirs]["per_second"], strict=True)
    return median(a / b for a, b in pairs)


def beyond_an_empty_call(result: dict[str, Any]) -> dict[str, float]:
    """Contender -> ns a token through Python, without what an empty call takes: median of the laps' differences."""
    contenders = result["groups"].get(CALLS, {}).get("contenders", {})
    if EMPTY not in contenders:
        return {}
    empty = contenders[EMPTY]["per_second"]
    return {
        name: median(1e9 / a - 1e9 / b for a, b in zip(one["per_second"], empty, strict=True))
        for name, one in contenders.items()
        if name != EMPTY
    }


def describe(measured: Iterable[Lap], **parts: Any) -> dict[str, Any]:
    """The result of a run on this machine, now; parts: what else was measured, "kernels" of compiled.measure first."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": processor(),
        "tier": core()["chosen"],
        "tiers": core()["supported"],
        "compiler": core()["compiler"],
        "versions": {name: versions()[name] for name in ("ehc", "python", "numpy", "pyarrow")},
        "peers": [peer.version() for peer in (gmssl_python, openssl_well, *optional()[0].values())],
        "missing": optional()[1],
        "method": METHOD,
        "groups": groups(measured),
        **parts,
    }


def path(result: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Where the result of this kind of machine is kept."""
    machine = result["machine"]
    words = f"{machine['model']} {machine['family_model']} {machine['cores']} cores {result['tier']}"
    return folder / (re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") + ".json")


def load(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def newest(folder: Path = FOLDER) -> dict[str, Any]:
    """The latest of the kept results. Raises FileNotFoundError when there is none."""
    kept = [json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")]
    if not kept:
        raise FileNotFoundError(f"no results in {folder.name}/: run bench/run.py")
    return max(kept, key=lambda result: result["date"])


def keep(result: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Write the result in place of the last one of this kind of machine."""
    text = json.dumps(result, ensure_ascii=False, indent=2)
    short = re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text)  # a list stays on one line
    file = path(result, folder)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(short + "\n", "utf-8")
    return file
