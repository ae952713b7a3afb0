"""The master index over an invented population: how fast it takes it, how right it merges, how fast a number is found.

    python bench/index_people.py 1000000                                # SQLite, in a folder of its own
    python bench/index_people.py 1000000 --database postgresql:///fresh # an empty database
    python bench/index_people.py 1000000 --seed 2 --keep bench/results/index/people.json

As its user would: `ehc index generate`, `load`, `match` as processes of their own. Then the truth, which the file has
and no rule reads, is held against what the database says: precision and recall are over pairs of records. Look-ups are
measured in one process over one connection, each a full answer (a person with all records and numbers).
"""

from __future__ import annotations

import argparse
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
from typing import Any

import msgspec

from ehc.config import Settings
from ehc.index.index import Index, index_over
from ehc.index.keys import identifier_keys
from ehc.index.lines import Line
from ehc.index.measure import completeness, quality
from ehc.wiring import open_store

LOOK_UPS = 20_000


def run(*arguments: str, environment: dict[str, str]) -> tuple[str, float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "ehc.cli", "index", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.strip(), flush=True)
    return done.stdout, time.perf_counter() - began


def truth_of(file: Path) -> dict[tuple[str, str], int]:
    decode = msgspec.json.Decoder(Line).decode
    with file.open("rb") as lines:
        return {(one.source, one.local_id): one.truth for one in map(decode, lines)}


def judge(index: Index, truth: dict[tuple[str, str], int]) -> dict[str, Any]:
    stored = {one.record: one for one in index.batch.everything()}
    true = {number: truth[one.body.key] for number, one in stored.items()}
    merged = quality({number: one.root for number, one in stored.items()}, true)
    blocked = completeness({number: one.body for number, one in stored.items()}, true, identifier_keys)
    return {
        "true_pairs": merged.right + merged.missed,
        "wrong_pairs": merged.wrong,
        "missed_pairs": merged.missed,
        "precision": merged.precision,
        "recall": merged.recall,
        "pairs_completeness": blocked.share,
        "completeness_by_block": {kind: found / blocked.pairs for kind, found in sorted(blocked.by_kind.items())},
    }


def look_up(index: Index, truth: dict[tuple[str, str], int], seed: int) -> dict[str, float]:
    keys = Random(seed).sample(sorted(truth), min(LOOK_UPS, len(truth)))
    times = []
    for source, local_id in keys:
        began = time.perf_counter_ns()
        found = index.finder.by_identifier(source, local_id)
        times.append((time.perf_counter_ns() - began) / 1e6)
        assert any((one.domain, one.value) == (source, local_id) for person in found for one in person.identifiers)
    hundredths = statistics.quantiles(times, n=1000)
    return {"p50_ms": hundredths[499], "p99_ms": hundredths[989], "p999_ms": hundredths[998]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("persons", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="")
    parser.add_argument("--folder", type=Path, help="where the file and a SQLite database stand; else a temporary one")
    parser.add_argument("--keep", type=Path, help="write the figures here too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = measure(given.persons, given.seed, given.database, Path(folder))
    text = json.dumps(found, indent=1)
    print(text)
    if given.keep:
        given.keep.parent.mkdir(parents=True, exist_ok=True)
        given.keep.write_text(text + "\n", "utf-8")


def measure(persons: int, seed: int, database: str, folder: Path) -> dict[str, Any]:
    environment = os.environ | {"EHC_HOME": str(folder)} | ({"EHC_DATABASE": database} if database else {})
    file = folder / "people.ndjson"
    run("generate", str(persons), "--seed", str(seed), "-o", str(file), environment=environment)
    loaded, load_seconds = run("load", str(file), "--new-domains", environment=environment)
    matched, match_seconds = run("match", environment=environment)
    truth = truth_of(file)
    stores = open_store(Settings(home=str(folder), database=database))
    index = index_over(stores.index)
    rate = re.search(r"\(([\d,]+) a second\)", loaded)
    assert rate, loaded
    found = {
        "persons": persons,
        "seed": seed,
        "records": len(truth),
        "database": database.partition(":")[0] or "sqlite",
        "load_records_a_second": int(rate[1].replace(",", "")),
        "load_s": round(load_seconds, 1),
        "match_s": round(match_seconds, 1),
        "matched": matched.strip().splitlines()[-1],
        **judge(index, truth),
        "look_up": look_up(index, truth, seed),
    }
    stores.close()
    return found


if __name__ == "__main__":
    main()
