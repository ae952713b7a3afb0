"""The service beside what others would write and beside a server that answers a constant, in one interleaved run.

    python bench/service.py [--rounds 5] [--seconds 3] [--connections 64] [--only TEXT ...] [--keep]

Each server runs alone on the first of two cores and the load on the second, where Redis is too: another machine's work.
In every round each server is asked in turn. The tables give medians of the rounds; a ratio is taken within a round.
Needs gcc, redis-server, and the packages of `pip install -e '.[bench]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service_load import Load, compile_load
from service_servers import HEAD, Server, open_servers

RATES = (2000, 8000)
RESULT = Path(__file__).parent / "results" / "service" / "service.json"
CONSTANT = "constant answer"


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = _chosen(stack.enter_context(open_servers(folder)), options.only)
        load = Load(compile_load(folder), folder, options.connections)
        found = [one for number in range(options.rounds) for one in _round(number, servers, load, options)]
    result = {"machine": machine(), "connections": options.connections, "seconds": options.seconds, "runs": found}
    print(_table(found))
    if options.keep:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="servers whose names hold one of these")
    parser.add_argument("--keep", action="store_true", help=f"write {RESULT.name}")
    return parser.parse_args()


def _chosen(servers: list[Server], only: list[str] | None) -> list[Server]:
    return [one for one in servers if one.name == CONSTANT or not only or any(text in one.name for text in only)]


def _round(number: int, servers: list[Server], load: Load, options: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    for server in servers:
        for rate in (0, *(RATES if server.steady else ())):
            answers = load.run(server, HEAD, rate, options.seconds)
            found.append({"round": number, "server": server.name, "asked": rate, **answers})
            print(f"{number} {server.name:36} asked {rate or 'all':>6} {answers}", file=sys.stderr)
    return found


def _table(found: list[dict[str, Any]]) -> str:
    lines = [
        f"| {'service':36} | requests/s | of the constant | p99 ms | 2,000/s: p99 | 8,000/s: p99 |",
        "|---" * 6 + "|",
    ]
    for name in dict.fromkeys(one["server"] for one in found):
        runs = {rate: [o for o in found if o["server"] == name and o["asked"] == rate] for rate in (0, *RATES)}
        rate, p99 = _median(runs[0], "rate"), _median(runs[0], "p99_ms")
        share = statistics.median(_shares(found, name))
        steady = [f"{_median(runs[r], 'p99_ms'):.1f}" if runs[r] else "" for r in RATES]
        lines.append(f"| {name:36} | {rate:,.0f} | {share:.2f} | {p99:.1f} | {' | '.join(steady)} |")
    return "\n".join(lines)


def _shares(found: list[dict[str, Any]], name: str) -> list[float]:
    full = {(o["round"], o["server"]): o["rate"] for o in found if o["asked"] == 0}
    return [rate / full[number, CONSTANT] for (number, server), rate in full.items() if server == name]


def _median(runs: list[dict[str, Any]], what: str) -> float:
    return statistics.median(run[what] for run in runs)


def machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    redis = subprocess.check_output(["redis-server", "--version"], text=True).split("v=")[1].split()[0]
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "redis": redis,
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    main()
