"""Re-keying a province while its service verifies codes: accounts a minute, and what verification has of it.

    python bench/rekeying.py --accounts 2000000                                        # SQLite in a temporary folder
    python bench/rekeying.py --accounts 2000000 --database postgresql://postgres@host/empty

One `ehc serve` on the first core verifies static codes at a constant rate, asked from the second core, where the job
(`ehc keys rotate`) runs too, as may PostgreSQL: two cores in all. First quietly; then the job from its start until all
ids are there and verified; the flip, with a moment after it; the job that retires the old ids; then quietly once more,
since what a shared machine gives changes by the minute. Accounts a minute are of all three commands together, starts of
the interpreter and keyring included. A latency counts from the moment at which the request was due; every request of
a part is in its p99, and the worst window is the worst of all that follow one another. Half of the codes are of cards
that were asked for a moment ago, the other half asks the database. `--fill` fills alone, to measure later; `--keep
FILE` adds what was found to a JSON file.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from register import _fill, _make_keyring
from service_load import Load, compile_load
from service_servers import HEAD, LOAD_CORE, SERVER_CORE, Server, free_port, pinned, running
from sqlalchemy import text

from ehc.config import Settings
from ehc.store.database import open_engine

KNOWN = 2_000  # cards that are asked for again and again
AFTER_FLIP = 5  # seconds
QUIET = ("quiet", "quiet at the end")


@dataclass
class Parts:
    """What was going on when; seconds of CLOCK_MONOTONIC."""

    spans: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.spans[name] = began, time.monotonic()

    def seconds(self, name: str) -> float:
        began, ended = self.spans[name]
        return ended - began


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            home=str(options.home or folder), database=options.database or "", static_scenes=("010101",)
        )
        _make_keyring(settings)
        _fill(settings, options.accounts)
        if options.fill:
            return
        found = _measure(settings, folder, options)
    print(json.dumps(found, indent=1), flush=True)
    if options.keep:
        before = json.loads(options.keep.read_text("utf-8")) if options.keep.exists() else []
        options.keep.write_text(json.dumps([*before, found], indent=1) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=500, help="codes verified a second")
    parser.add_argument("--quiet", type=float, default=10.0, help="seconds of each quiet part")
    parser.add_argument("--window", type=float, default=5.0, help="seconds")
    parser.add_argument("--nice", type=int, default=-10, help="of the service, which goes first; below 0: as root")
    parser.add_argument("--share", type=float, help="of `ehc keys rotate`; default: its own")
    parser.add_argument("--database", help="an empty one; default: SQLite")
    parser.add_argument("--home", type=Path, help="folder; default: a temporary one")
    parser.add_argument("--fill", action="store_true", help="register the people and end")
    parser.add_argument("--keep", type=Path, help="JSON file of results")
    return parser.parse_args()


def _measure(settings: Settings, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    url = f"http://127.0.0.1:{free_port()}"
    serve = ["nice", "-n", options.nice, sys.executable, "-m", "ehc.cli", "serve", "--port", url.rpartition(":")[2]]
    command = pinned(SERVER_CORE, *serve)
    environment = {"EHC_HOME": settings.home, "EHC_DATABASE": settings.database_url()}
    parts, job = Parts(), _Job(environment, options.share)
    with running(command, url, folder / "log", environment):
        server = Server("ehc", url, "", _bodies(folder, _some_ids(settings, "accounts")))
        load = Load(compile_load(folder), folder, 16)
        load.run(server, HEAD, options.rate, 2)  # warm
        with load.beside(server, HEAD, options.rate) as times:
            with parts.part("quiet"):
                time.sleep(options.quiet)
            with parts.part("run"):
                job("run")
            with parts.part("flip"):
                job("flip")
            with parts.part("after the flip"):
                time.sleep(AFTER_FLIP)
        server = replace(server, bodies=_bodies(folder, _some_ids(settings, "rekeyed_cards")))
        with load.beside(server, HEAD, options.rate) as later:
            with parts.part("retire"):
                job("retire")
            with parts.part("quiet at the end"):
                time.sleep(options.quiet)
    return _found(parts, np.concatenate(times + later), options, settings)


@dataclass(frozen=True)
class _Job:
    environment: dict[str, str]
    share: float | None

    def __call__(self, do: str) -> None:
        share = [] if self.share is None else ["--share", self.share]
        words = [sys.executable, "-m", "ehc.cli", "keys", "rotate", "security_key", do, *share]
        command = pinned(LOAD_CORE, *words)
        subprocess.run(command, check=True, env=os.environ | self.environment, stdout=subprocess.DEVNULL)


def _some_ids(settings: Settings, table: str) -> list[str]:
    """Of cards all over the province."""
    queries = {
        "accounts": "SELECT card_id FROM accounts WHERE account % 19 = 0 LIMIT 60000",
        "rekeyed_cards": "SELECT card_id FROM rekeyed_cards WHERE account % 19 = 0 LIMIT 60000",
    }
    engine = open_engine(settings.database_url())
    with engine.connect() as connection:
        found = [bytes(one).hex().upper() for one in connection.scalars(text(queries[table]))]
    engine.dispose()
    random.Random(1).shuffle(found)
    return found


def _bodies(folder: Path, ids: list[str]) -> Path:
    """Their static codes, and between them those of a few."""
    file = folder / "bodies"
    lines = [one for i, card_id in enumerate(ids) for one in (ids[i % KNOWN], card_id)]
    shown = '{{"payload":"{}:1","scene":"010101"}}\n'
    file.write_text("".join(shown.format(card_id) for card_id in lines), "ascii")
    return file


def _found(parts: Parts, times: NDArray[np.float64], options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    spans = parts.spans
    at_work = np.concatenate([_within(times, *spans[name]) for name in spans if name not in QUIET])
    quiet = _figures(np.concatenate([_within(times, *spans[name]) for name in QUIET]), options.window)
    job = _figures(at_work, options.window)
    seconds = {name: round(parts.seconds(name), 1) for name in spans}
    took = seconds["run"] + seconds["flip"] + seconds["retire"]
    return {
        "database": settings.database_url().partition(":")[0],
        "accounts": options.accounts,
        "rate": options.rate,
        "share": options.share,
        "nice": options.nice,
        "autogroup": _autogroup(),
        "seconds": seconds,
        "accounts/min": {
            "whole": round(60 * options.accounts / took),
            "run": round(60 * options.accounts / seconds["run"]),
            "retire": round(60 * options.accounts / seconds["retire"]),
        },
        "parts": {name: _figures(_within(times, *span), options.window) for name, span in spans.items()},
        "quiet": quiet,
        "whole job": job,
        "p99 times quiet": {
            "whole": round(job["p99 ms"] / quiet["p99 ms"], 2),
            "worst window": round(job["worst window ms"] / quiet["p99 ms"], 2),
            "worst quiet window": round(quiet["worst window ms"] / quiet["p99 ms"], 2),
        },
    }


def _autogroup() -> str | None:
    """1: Linux shares the cores by session first, each process of PostgreSQL is one, and niceness says nothing."""
    file = Path("/proc/sys/kernel/sched_autogroup_enabled")
    return file.read_text().strip() if file.exists() else None


def _within(times: NDArray[np.float64], began: float, ended: float) -> NDArray[np.float64]:
    return times[(times[:, 0] >= began) & (times[:, 0] < ended)]


def _figures(times: NDArray[np.float64], window: float) -> dict[str, Any]:
    p50, p99, p999 = np.percentile(times[:, 1], [50, 99, 99.9]) * 1000
    windows = [part for part in _windows(times, window) if len(part)]
    p99s = [round(float(np.percentile(part[:, 1], 99)) * 1000, 2) for part in windows]
    return {
        "requests": len(times),
        "p50 ms": round(float(p50), 2),
        "p99 ms": round(float(p99), 2),
        "p99.9 ms": round(float(p999), 2),
        "slowest ms": round(float(times[:, 1].max()) * 1000, 1),
        "worst window ms": max(p99s),
        "windows ms": p99s,
    }


def _windows(times: NDArray[np.float64], window: float) -> Iterator[NDArray[np.float64]]:
    """Of so many seconds each; what is left at the end belongs to the last."""
    began, ended = times[0, 0], times[-1, 0]
    count = max(1, int((ended - began) // window))
    edges = [began + window * i for i in range(count)] + [ended + 1]
    return (_within(times, *edge) for edge in itertools.pairwise(edges))


if __name__ == "__main__":
    main()
