"""The tables of the C bench: kernel by tier, and kernel by peer."""

from __future__ import annotations

from typing import Any

from bounds import bound
from compiled import is_ours
from figures import significant

REFERENCE = "ehc@vaes"
"""The tier that the project's aims are stated for; beside our best one, peers are compared with it."""


def kernels(result: dict[str, Any]) -> str:
    """Empty when the C bench was not run."""
    part = result.get("kernels")
    if not part:
        return ""
    missing = [f"{name} ({get})" for name, get in part["missing"].items()]
    return "\n\n".join(
        filter(
            None,
            (
                f"Core cycles, quiet tenth percentile and (median) of {part['laps']} laps:",
                _cycles(part),
                f"Millions a second at {part['clock_hz'] / 1e9:.2f} GHz; × portable: how many times faster than that "
                "tier; of bound: cycles over the bound that is worked out above:",
                _rates(part),
                "The peers: core cycles, quiet, and how many times those of our best tier"
                f"{', and of `vaes`' if _reference(part) else ''} they need (medians of the laps' ratios; under 1, "
                "the peer is faster):",
                _peers(part),
                f"Missing: {'; '.join(missing)}." if missing else "",
            ),
        )
    )


def _names(part: dict[str, Any], ours: bool) -> list[str]:
    """Contenders, in the order in which they first appear."""
    return list(dict.fromkeys(n for job in part["jobs"].values() for n in job["contenders"] if is_ours(n) == ours))


def _reference(part: dict[str, Any]) -> str | None:
    names = _names(part, ours=True)
    return REFERENCE if REFERENCE in names[1:] else None


def _grid(head: list[str], part: dict[str, Any], cell: Any) -> str:
    lines = [f"| kernel | {' | '.join(name.removeprefix('ehc@') for name in head)} |", "|---|" + "--:|" * len(head)]
    for name, job in part["jobs"].items():
        cells = [cell(name, job, contender) if contender in job["contenders"] else "–" for contender in head]
        if set(cells) != {"–"}:
            lines.append(f"| {name}, a {job['unit']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cycles(part: dict[str, Any]) -> str:
    def cell(_: str, job: dict[str, Any], contender: str) -> str:
        one = job["contenders"][contender]
        return f"{significant(one['p10'])} ({significant(one['median'])})"

    return _grid(_names(part, ours=True), part, cell)


def _rates(part: dict[str, Any]) -> str:
    def cell(name: str, job: dict[str, Any], contender: str) -> str:
        one, least = job["contenders"][contender], bound(contender, name)
        portable = job["contenders"]["ehc@portable"]["slower"][contender]
        of_bound = f", {significant(one['p10'] / least)} of bound" if least else ""
        return f"{significant(part['clock_hz'] / one['p10'] / 1e6)} (×{significant(portable, 2)}{of_bound})"

    return _grid(_names(part, ours=True), part, cell)


def _peers(part: dict[str, Any]) -> str:
    reference = _reference(part)

    def cell(_: str, job: dict[str, Any], contender: str) -> str:
        one = job["contenders"][contender]
        beside = [next(iter(job["contenders"])), *([reference] if reference else [])]
        times = ", ".join(f"×{significant(one['slower'][tier], 2)}" for tier in beside)
        return f"{significant(one['p10'])} ({times})"

    return _grid(_names(part, ours=False), part, cell)
