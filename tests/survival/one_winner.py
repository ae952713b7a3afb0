"""Two race for one code, a million times over: exactly one wins each time.

    PYTHONPATH=tests python tests/survival/one_winner.py --codes 1000000

Two processes of one host over mapped files; two nodes, each with its own connections, over one Redis. The racers go
through the same codes in the same order and wait for each other every BLOCK codes, so that they meet. `http_races.py`
has the races through HTTP.
"""

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Awaitable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import servers
from plain_cards import Cards

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


def races(folder: Path, codes: int) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """(what raced, codes, how many each has won)."""
    with servers.redis(folder / "redis", appendfsync="everysec") as redis:
        for name, url in (("two processes, mapped files", ""), ("two nodes, one Redis", redis.url)):
            place = folder / name.partition(",")[2].strip().replace(" ", "-")
            place.mkdir()
            yield name, codes, race(place, url, codes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        begun = time.monotonic()
        for what, codes, (one, two) in races(Path(name), options.codes):
            seconds, begun = time.monotonic() - begun, time.monotonic()
            print(f"{what}: {codes:,} codes, each won once: {one:,} by one, {two:,} by the other, in {seconds:.0f} s")


if __name__ == "__main__":
    main()
