"""Two race for one code, a million times over: exactly one wins each time.

    PYTHONPATH=tests python tests/survival/one_winner.py --codes 1000000 --http 20000

Two processes of one host over mapped files; two nodes, each with its own connections, over one Redis; and through HTTP,
two workers over mapped files and two services over one Redis. The racers go through the same codes in the same order
and wait for each other every BLOCK codes, so that they meet.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Awaitable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import servers
from plain_cards import Cards
from service_kills import Client, payment
from services import settings_of

from ehc.cli.serve import start_service
from ehc.config import Settings
from ehc.model import Answer, Claim, Identity, Question
from ehc.store.database import open_engine
from ehc.store.hot_mapped import MappedHotState
from ehc.store.hot_redis import RedisHotState
from ehc.store.sql_accounts import SqlAccountStore
from ehc.wiring.stores import open_store

NOW = 1_767_225_600
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
PERSON = Identity("01", "11010020171225006X", "电子健康卡")
BLOCK = 500
SAMPLE = {"id_type": PERSON.id_type, "id_number": PERSON.id_number, "name": PERSON.name}
HTTP_BLOCK = 50


def claim_all(url: str, folder: str, codes: int, barrier: Barrier) -> np.ndarray:
    """One racer, in a process of its own: which codes it won."""
    return asyncio.run(_claim_all(url, Path(folder), codes, barrier))


async def _claim_all(url: str, folder: Path, codes: int, barrier: Barrier) -> np.ndarray:
    accounts = SqlAccountStore(open_engine(Settings(home=str(folder)).database_url()))
    hot = RedisHotState(url, accounts, lambda: NOW) if url else MappedHotState(folder / "hot", accounts, lambda: NOW)
    won = np.zeros(codes, bool)
    await _now(hot.ask(Question(CARD), NOW))
    for first in range(0, codes, BLOCK):
        barrier.wait()
        block = range(first, min(first + BLOCK, codes))
        answers = [hot.ask(Question(CARD, b"%d" % i, NOW, NOW + 360, uses=1), NOW) for i in block]
        claims = [answer.claim for answer in await asyncio.gather(*map(_now, answers))]
        assert set(claims) <= {Claim.WON, Claim.LOST}
        won[first : block.stop] = [claim is Claim.WON for claim in claims]
    hot.close()
    return won


async def _now(answer: Answer | Awaitable[Answer]) -> Answer:
    return answer if isinstance(answer, Answer) else await answer


def race(folder: Path, url: str, codes: int) -> tuple[int, int]:
    """How many each of the two has won. url: of Redis; "": mapped files."""
    stores = open_store(Settings(home=str(folder)))
    Cards(stores.accounts).register(PERSON, bytes(32), CARD, 1, NOW - 1000)
    stores.close()
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(2) as pool:
        barrier: Any = manager.Barrier(2)
        one, two = pool.starmap(claim_all, [(url, str(folder), codes, barrier)] * 2)
    assert not np.any(one & two), f"{np.sum(one & two)} codes were won by both"
    assert np.all(one | two), f"{np.sum(~(one | two))} codes were won by nobody"
    return int(one.sum()), int(two.sum())


# --- through HTTP


@contextlib.contextmanager
def services(folder: Path, nodes: int, **settings: Any) -> Iterator[list[str]]:
    """Their URLs: one service of two workers, or nodes of one worker each, over one database."""
    started = []
    try:
        for node in range(nodes):
            database = f"sqlite:///{folder / 'ehc.db'}"
            more = {"database": database, "workers": 3 - nodes, "issue_profile": "A", "node": node} | settings
            started.append(start_service(settings_of(folder / f"home-{node}", caller_rate=1_000_000, **more)))
        yield [url for _, url in started]
    finally:
        for process, _ in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def race_over_http(urls: list[str], codes: int) -> tuple[int, int]:
    """Two clients show the same codes at the same moment, each at a terminal of its own."""
    won = [np.zeros(codes, bool), np.zeros(codes, bool)]
    with contextlib.closing(Client(urls[0])) as one_client, contextlib.closing(Client(urls[-1])) as other_client:
        clients = [one_client, other_client]
        clients[0].ask("POST", "/v1/cards", SAMPLE)
        for first in range(0, codes, HTTP_BLOCK):
            block = range(first, min(first + HTTP_BLOCK, codes))
            issued = [
                clients[0].ask("POST", "/v1/codes", {"card_id": CARD, "kind": "dynamic"})["payload"] for _ in block
            ]
            assert len(set(issued)) == len(block)
            _show(clients, issued, [part[first : block.stop] for part in won])
    one, two = won
    assert np.all(one ^ two), f"{np.sum(one & two)} codes were accepted twice, {np.sum(~(one | two))} never"
    return int(one.sum()), int(two.sum())


def _show(clients: list[Client], codes: list[str], won: list[np.ndarray]) -> None:
    """won: takes who was accepted."""
    barrier, errors = threading.Barrier(2), list[BaseException]()

    def show(number: int) -> None:
        try:
            for i, code in enumerate(codes):
                barrier.wait(60)
                answer = clients[number].ask("POST", "/v1/verify", payment(code, f"t-{number}"))
                assert answer["reason"] in ("accepted", "replayed"), answer
                won[number][i] = answer["accepted"]
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=show, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def races(folder: Path, codes: int, over_http: int) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """(what raced, codes, how many each has won)."""
    with servers.redis(folder / "redis", appendfsync="everysec") as redis:
        for name, url in (("two processes, mapped files", ""), ("two nodes, one Redis", redis.url)):
            place = folder / name.partition(",")[2].strip().replace(" ", "-")
            place.mkdir()
            yield name, codes, race(place, url, codes)
        for name, nodes, url in (
            ("HTTP, two workers, mapped files", 1, ""),
            ("HTTP, two nodes, one Redis", 2, redis.url),
        ):
            place = folder / f"http-{nodes}"
            place.mkdir()
            with services(place, nodes, redis=url) as urls:
                yield name, over_http, race_over_http(urls, over_http)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=1_000_000, help="of each race below HTTP")
    parser.add_argument("--http", type=int, default=20_000, help="codes of each race through HTTP")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        begun = time.monotonic()
        for what, codes, (one, two) in races(Path(name), options.codes, options.http):
            seconds, begun = time.monotonic() - begun, time.monotonic()
            print(f"{what}: {codes:,} codes, each won once: {one:,} by one, {two:,} by the other, in {seconds:.0f} s")


if __name__ == "__main__":
    main()
