"""Signed requests that are sent again or changed, by the million, while those who check them are killed.

PYTHONPATH=tests python tests/survival/signed_requests.py --requests 1000000 --seed 1 [--redis URL]

Each round is a process that opens the service's own parts (keyring, database, hot state) and judges requests as
web/signed.py does, steps 1 to 6 and 9: changed ones, fresh ones, which it must let in once, and all that were let in
before, by it or by its predecessors. The parent kills it with -9 in the middle and starts the next one over the same
files. Nothing that was changed or sent again may be let in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sdk_apps import SDK, SECRET, add_sdk_app
from services import settings_of

from ehc.config import Settings
from ehc.crypto import hmac_sm3
from ehc.crypto import http_signature as http
from ehc.crypto.http_signature import Message
from ehc.errors import Unauthenticated
from ehc.sdkauth.admission import Admission, require_body
from ehc.wiring.services import Services, open_services

NOW = 1_767_225_600
WINDOW = 300
FRESH, CHANGES = 20, 40  # a fresh request in so many; mutations of it
MOST_REPORTS = 60  # of one process, some thousand requests each
LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEF0123456789=+/:;"() -_.@'

Sent = tuple[str, str, dict[str, str], bytes]  # method, target, headers, body


def fresh(chance: random.Random) -> Sent:
    """A request as the app signs it."""
    body = json.dumps({"card_id": f"{chance.getrandbits(256):064X}", "kind": "static"}).encode()
    headers = {"host": "ehc.example", "x-sdk": SDK, "content-type": "application/json"}
    headers |= {"content-digest": http.content_digest(body), "x-institution": f"H{chance.randrange(9)}"}
    message = Message("POST", "ehc.example", f"/v1/codes?n={chance.randrange(99)}", headers)
    nonce = f"{chance.getrandbits(128):032x}"
    names = http.components_of(message, has_body=True)
    text = http.signature_input(names, created=NOW, nonce=nonce, key_id="k-hmac", algorithm="hmac-sm3")
    signed = http.signature_headers(message, names, lambda base: hmac_sm3(SECRET, base), text)
    return "POST", message.target, headers | signed, body


def changed(sent: Sent, chance: random.Random) -> Sent:
    """One character of what was signed, or of the signature, is another; or a header is gone."""
    method, target, headers, body = sent
    where = chance.choice(["method", "target", "body", "gone", *headers])
    headers = dict(headers)
    if where == "method":
        method = chance.choice(["GET", "PUT", "post", "DELETE"])
    elif where == "target":
        target = _other(target, chance)
    elif where == "body":
        body = _other(body.decode(), chance).encode()
    elif where == "gone":
        del headers[chance.choice([name for name in headers if name != "host"])]
    else:
        headers[where] = _other(headers[where], chance)
    return method, target, headers, body


def _other(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice([one for one in LETTERS if one != text[at]]) + text[at + 1 :]


def means_the_same(one: Sent, other: Sent) -> bool:
    """Case of the host, and blanks around a header's value, are nothing to HTTP."""

    def meaning(sent: Sent) -> Any:
        headers = {name: value.strip() for name, value in sent[2].items()}
        return sent[0], sent[1], headers | {"host": headers["host"].lower()}, sent[3]

    return bool(meaning(one) == meaning(other))


def is_let_in(services: Services, known: Admission, sent: Sent) -> bool:
    """Steps 1 to 6 and 9, as web/signed.py takes them."""
    method, target, headers, body = sent
    try:
        message = Message(method, headers["host"], target, headers)
        proven = known.prove(message, has_body=True, now=NOW, window=WINDOW)
        require_body(message, body)
    except Unauthenticated:
        return False
    first = services.hot.once(proven.once, proven.created, proven.created + 2 * WINDOW)
    return bool(_LOOP.run(_wait(first)) if isinstance(first, Awaitable) else first)


_LOOP = asyncio.Runner()
"""One event loop a process, as in the service: it is made where it is first used."""


async def _wait(first: Awaitable[bool]) -> bool:
    return await first


def judge(settings: Settings, seed: int, before: list[Sent], report: Connection) -> None:
    """Runs until it is killed. Reports (kind, was let in) and each request that was let in for its first time."""
    services = open_services(settings, clock=lambda: NOW)
    known, chance = services.app_registry.admission(NOW), random.Random(seed)
    earlier = list(before)
    while True:
        done: list[tuple[str, bool]] = [("again", is_let_in(services, known, one)) for one in earlier[-200:]]
        new = [fresh(chance) for _ in range(FRESH)]
        for one in new:
            others = (changed(one, chance) for _ in range(CHANGES))
            done += [("changed", is_let_in(services, known, x)) for x in others if not means_the_same(one, x)]
            done.append(("fresh", is_let_in(services, known, one)))
            done.append(("again", is_let_in(services, known, one)))
        earlier += new
        report.send((done, new))


def rounds(settings: Settings, seed: int) -> Iterator[list[tuple[str, bool]]]:
    """What process after process reports, each killed at a random time."""
    context, chance, earlier = get_context("spawn"), random.Random(seed), list[Sent]()
    for number in range(sys.maxsize):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=judge, args=(settings, seed * 1_000_003 + number, earlier[-5000:], theirs))
        process.start()
        theirs.close()
        try:
            for _ in range(chance.randrange(1, MOST_REPORTS)):
                done, new = ours.recv()
                earlier += new
                yield done
            time.sleep(chance.uniform(0, 0.05))  # into the middle of the next one
        finally:
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()


def campaign(folder: Path, requests: int, seed: int, redis: str = "") -> dict[str, int]:
    """How many were sent, and how many of the wrong ones were let in."""
    settings = settings_of(folder, redis=redis)
    add_sdk_app(settings)
    found = dict.fromkeys(("fresh", "fresh let in", "changed", "changed let in", "again", "again let in"), 0)
    for done in rounds(settings, seed):
        for kind, let_in in done:
            found[kind] += 1
            found[f"{kind} let in"] += let_in
        if found["changed"] + found["again"] >= requests:
            return found
    raise AssertionError("unreachable")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--redis", default="")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(Path(folder), given.requests, given.seed, given.redis)
    print(", ".join(f"{count:,} {name}" for name, count in found.items()), f"in {time.monotonic() - began:.0f} s")
    sys.exit(bool(found["changed let in"] or found["again let in"] or found["fresh"] != found["fresh let in"]))


if __name__ == "__main__":
    main()
