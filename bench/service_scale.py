"""How verification grows: Redis Cluster beside one Redis, two workers beside one, unknown cards, offline checks in
batches, memory.

    python bench/service_scale.py [--rounds 5] [--seconds 3] [--requests 10000000] [--keep]

The ways are asked in turn, round after round; a ratio is taken within a round. One worker has the first core, the load
and Redis the second; two workers have both, which they share with the load. Unknown cards are asked for once each, of a
worker that has just begun (and a Redis that was emptied), beside cards that it knows. --requests: so many go to the
worker with its state in the host at last, and its memory is looked at meanwhile. Needs gcc, redis-server, redis-cli.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import redis
from service import machine
from service_load import Load, compile_load
from service_servers import (
    HEAD,
    VALIDITY,
    Server,
    make_bodies,
    make_home,
    one_redis,
    ours,
    redis_cluster,
)

from ehc.access.caller import key_of
from ehc.config import Settings

RESULT = Path(__file__).parent / "results" / "service" / "service_scale.json"
CODES_A_CARD = 10
LOOKS = 20  # at the memory
CHECKS = 10_000  # of a batch
ASKERS = 3  # batches at once
UNKNOWN_CARDS, UNKNOWN_SECONDS = 9_000, 0.8
PAIRS = (
    ("Redis Cluster, three masters", "one Redis"),
    ("two workers, two cores", "one worker, one core"),
    ("unknown cards, state in the host", "known cards, state in the host"),
    ("unknown cards, state in Redis", "known cards, state in Redis"),
)


def main() -> None:
    options = _options()
    found: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = _servers(stack, folder)
        load = Load(compile_load(folder), folder, 64)
        for number in range(options.rounds):
            for name, server in servers.items():
                found.append({"round": number, "server": name} | load.run(server, HEAD, 0, options.seconds))
                print(found[-1], file=sys.stderr)
            found += [{"round": number} | one for one in _unknown_cards(folder / f"unknown-{number}", load)]
        one = servers["one worker, one core"]
        batch = [_batch(one) for _ in range(options.rounds)]
        memory = _memory(one, load, options.requests)
    result = {"machine": machine(), "runs": found, "batch_checks_a_second": batch, "memory": memory}
    print(_report(result))
    if options.keep:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help=f"write {RESULT.name}")
    return parser.parse_args()


def _servers(stack: ExitStack, folder: Path) -> dict[str, Server]:
    ways = {
        "one worker, one core": ("", 1),
        "two workers, two cores": ("", 2),
        "one Redis": (f"{stack.enter_context(one_redis(folder))}/1", 1),
        "Redis Cluster, three masters": (stack.enter_context(redis_cluster(folder)), 1),
    }
    found = {}
    for name, (store, workers) in ways.items():
        settings, key = _home(folder / name.replace(" ", "-"), store)
        url = stack.enter_context(ours(settings, workers))
        found[name] = Server(name, url, key, make_bodies(settings, url, key, codes_a_card=CODES_A_CARD))
    return found


def _unknown_cards(folder: Path, load: Load) -> Iterator[dict[str, Any]]:
    """Over SQLite, each shown once; beside them 1,000 others that the worker knows."""
    folder.mkdir()
    with one_redis(folder) as redis_url:
        for where, store in (("the host", ""), ("Redis", redis_url)):
            settings, key = _home(folder / where.replace(" ", "-"), store)
            with ours(settings) as url:
                bodies = make_bodies(settings, url, key, cards=UNKNOWN_CARDS + 1_000, codes_a_card=1)
            if store:
                redis.Redis.from_url(store).flushdb()
            known, unknown = bodies.with_suffix(".known"), bodies.with_suffix(".unknown")
            lines = bodies.read_text("utf-8").splitlines(keepends=True)
            known.write_text("".join(lines[:1_000]), "utf-8")
            unknown.write_text("".join(lines[1_000:]), "utf-8")
            with ours(settings) as url:
                load.run(Server("", url, key, known), HEAD, 0, UNKNOWN_SECONDS)
                for name, file in (("unknown cards", unknown), ("known cards", known)):
                    answers = load.run(Server(name, url, key, file), HEAD, 0, UNKNOWN_SECONDS)
                    assert name == "known cards" or answers["rate"] * (UNKNOWN_SECONDS + 0.1) < UNKNOWN_CARDS, answers
                    yield {"server": f"{name}, state in {where}"} | answers


def _home(home: Path, store: str) -> tuple[Settings, str]:
    """And the key of a caller."""
    settings = Settings(home=str(home), issue_profile="E2", validity_seconds=VALIDITY, redis=store)
    make_home(settings, key := key_of(secrets.token_bytes(32)))
    return settings, key


def _batch(server: Server) -> float:
    """Offline checks a second through HTTP, all accepted, of codes that this place has claimed already; ASKERS at
    once, so that the worker never waits for whoever asks."""
    rows = [json.loads(line) for line in server.bodies.read_text("utf-8").splitlines()]
    now = int(time.time())
    told = {"at": now, "scene": "010105", "accepted": True}
    checks = [{"payload": rows[i % len(rows)]["payload"]} | told for i in range(CHECKS)]
    place = {"institution": "H440100001", "terminal": "desk-1", "clock": now}
    body = json.dumps(place | {"checks": checks}).encode()
    head = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}
    with httpx.Client(headers=head, timeout=300) as client, ThreadPoolExecutor(ASKERS) as pool:
        begin = time.perf_counter()
        answers = [*pool.map(lambda _: client.post(f"{server.url}/v1/verify/batch", content=body), range(5 * ASKERS))]
        seconds = time.perf_counter() - begin
    assert all(answer.json()["accepted"] == CHECKS for answer in answers), answers[0].text[:300]
    return len(answers) * CHECKS / seconds


def _memory(server: Server, load: Load, requests: int) -> list[dict[str, float]]:
    """Resident MiB of the worker, by its own count, after so many requests."""
    looks, done, seconds = [{"requests": 0, "MiB": _resident(server)}], 0, 1.0
    while done < requests:
        answers = load.run(server, HEAD, 0, seconds)
        done, seconds = done + answers["good"], requests / LOOKS / answers["rate"]
        looks.append({"requests": done, "MiB": _resident(server)})
        print(looks[-1], file=sys.stderr)
    return looks


def _resident(server: Server) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=300).text
    line = next(one for one in text.splitlines() if one.startswith("ehc_worker_resident_bytes{"))
    return round(float(line.split()[-1]) / 2**20, 1)


def _report(result: dict[str, Any]) -> str:
    rates = {(one["round"], one["server"]): one["rate"] for one in result["runs"]}
    lines = []
    for name, beside in PAIRS:
        ratios = [rate / rates[number, beside] for (number, server), rate in rates.items() if server == name]
        lines.append(f"{name}: {statistics.median(ratios):.2f} of {beside} ({min(ratios):.2f} to {max(ratios):.2f})")
    lines.append(f"offline checks: {statistics.median(result['batch_checks_a_second']):,.0f} a second through HTTP")
    rest, end = result["memory"][0], result["memory"][-1]
    lines.append(f"memory: {rest['MiB']} MiB at rest, {end['MiB']} after {end['requests']:,} requests")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
