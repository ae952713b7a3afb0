"""Re-keying a province while its service verifies codes: accounts a minute, and what verification has of it.

    python bench/rekeying.py --accounts 2000000                                        # SQLite in a temporary folder
    python bench/rekeying.py --accounts 2000000 --database postgresql://postgres@host/empty

One `ehc serve` on the first core verifies static codes at a constant rate, asked from the second core, where the job
(`ehc keys rotate`) runs too, as may PostgreSQL: two cores in all. First quietly, then during backfill and verification,
then during retirement; the accounts a minute are of the whole job, from begin to ready. Half of the codes are of cards
that were asked for a moment ago, the other half asks the database. `--fill` fills alone, to measure later.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from register import _fill, _make_keyring
from service_load import Load, compile_load
from service_servers import HEAD, LOAD_CORE, SERVER_CORE, Server, free_port, pinned, running
from sqlalchemy import text

from ehc.config import Settings
from ehc.store.database import open_engine
from ehc.wiring import open_rekeying

_BEHIND = ("chrt", "-f", "1") if os.sched_getscheduler(0) == os.SCHED_FIFO else ("nice",)
"""The load stands for other machines: it does not wait for the job, which has the same core."""

KNOWN = 2_000  # cards that are asked for again and again


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = options.home or folder
        settings = Settings(home=str(home), database=options.database or "", static_scenes=("010101",))
        _make_keyring(settings)
        _fill(settings, options.accounts)
        if options.fill:
            return
        url = f"http://127.0.0.1:{free_port()}"
        command = pinned(SERVER_CORE, sys.executable, "-m", "ehc.cli", "serve", "--port", url.rpartition(":")[2])
        environment = {"EHC_HOME": str(home), "EHC_DATABASE": settings.database_url()}
        with running(command, url, folder / "log", environment):
            server = Server("ehc", url, "", _bodies(folder, _some_ids(settings, "accounts")))
            load = Load(compile_load(folder), folder, 16)
            load.run(server, HEAD, options.rate, 2)  # warm
            quiet = load.run(server, HEAD, options.rate, 2 * options.seconds)
            job, at_work = _rotate(server, load, options, environment, "run")
            server = replace(server, bodies=_bodies(folder, _some_ids(settings, "rekeyed_cards")))
            _job(environment, "flip").wait()
            cleared, clearing = _rotate(server, load, options, environment, "retire")
            found = {"accounts": options.accounts, "rate": options.rate, "share": options.share}
            found |= {"job": job, "clearing": cleared, "quiet": quiet, "at work": at_work, "while clearing": clearing}
            p99s = sorted(one["p99_ms"] for one in at_work + clearing)
            times = {"median": statistics.median(p99s), "worst": p99s[-1]}
            found["p99 times quiet"] = {name: round(p99 / quiet["p99_ms"], 2) for name, p99 in times.items()}
            print(json.dumps(found, indent=1), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=500, help="codes verified a second")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one measurement")
    parser.add_argument("--share", type=float, default=0.9)
    parser.add_argument("--database", help="an empty one; default: SQLite")
    parser.add_argument("--home", type=Path, help="folder; default: a temporary one")
    parser.add_argument("--fill", action="store_true", help="register the people and end")
    return parser.parse_args()


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


def _job(environment: dict[str, str], do: str, share: float = 0.9) -> subprocess.Popen[bytes]:
    words = ["keys", "rotate", "security_key", do, "--share", str(share)]
    command = pinned(LOAD_CORE, *_BEHIND, sys.executable, "-m", "ehc.cli", *words)
    return subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)


def _rotate(
    server: Server, load: Load, options: argparse.Namespace, environment: dict[str, str], do: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How long it took, and what verification had meanwhile."""
    began = time.perf_counter()
    process = _job(environment, do, options.share)
    ended: list[float] = []
    watch = threading.Thread(target=lambda: (process.wait(), ended.append(time.perf_counter())))
    watch.start()
    measured = []
    while not ended:
        measured.append(load.run(server, HEAD, options.rate, options.seconds))
    assert process.returncode == 0
    with open_rekeying(Settings(home=environment["EHC_HOME"], database=environment["EHC_DATABASE"])) as store:
        latest = store.latest()
    assert latest is not None
    watch.join()
    seconds = ended[0] - began
    took = {"seconds": round(seconds, 1), "accounts/min": round(60 * options.accounts / seconds), "phase": latest.phase}
    return took, measured[:-1] or measured


if __name__ == "__main__":
    main()
