"""The hot state in Redis when Redis is not well: gone, hanging, forgetful, failed over. Then nothing is accepted."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from plain_cards import Cards

from ehc.cards.account import AccountStore
from ehc.config import Settings
from ehc.errors import ConfigError, Unavailable
from ehc.model import Claim, Identity, Question
from ehc.store.hot_redis import RedisHotState
from ehc.wiring.stores import open_store

NOW = 1_767_225_600
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[AccountStore]:
    stores = open_store(Settings(home=str(tmp_path)))
    Cards(stores.accounts).register(Identity("01", "11010020171225006X", "电子健康卡"), bytes(32), CARD, 1, NOW)
    yield stores.accounts
    stores.close()


def asking(code: bytes) -> Question:
    return Question(CARD, code, NOW, NOW + 360, uses=1)


async def claim(hot: RedisHotState, code: bytes) -> Claim:
    return (await hot.ask(asking(code), NOW)).claim


async def until_it_answers(hot: RedisHotState, code: bytes) -> Claim:
    for _ in range(600):
        try:
            return await claim(hot, code)
        except Unavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("Redis did not come back")


def test_a_killed_redis_is_unavailable_and_has_forgotten_nothing_when_it_is_back(
    accounts: AccountStore, tmp_path: Path
) -> None:
    async def story(server: servers.Redis, hot: RedisHotState) -> None:
        assert await claim(hot, b"before") is Claim.WON
        server.kill()
        for _ in range(3):
            with pytest.raises(Unavailable, match="Redis"):
                await claim(hot, b"meanwhile")
        server.start()
        assert await until_it_answers(hot, b"after") is Claim.WON
        assert await claim(hot, b"before") is Claim.LOST
        hot.close()

    with servers.redis(tmp_path / "redis") as server:
        asyncio.run(story(server, RedisHotState(server.url, accounts, lambda: NOW)))


def test_a_hanging_redis_is_unavailable_within_seconds(accounts: AccountStore, tmp_path: Path) -> None:
    async def story(server: servers.Redis, hot: RedisHotState) -> None:
        assert await claim(hot, b"before") is Claim.WON
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        asked = [asyncio.ensure_future(claim(hot, b"%d" % n)) for n in range(20)]
        done = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
        assert {type(error) for error in done} == {Unavailable}
        server.process.send_signal(signal.SIGCONT)
        assert await until_it_answers(hot, b"after") is Claim.WON
        hot.close()

    with servers.redis(tmp_path / "redis") as server:
        asyncio.run(story(server, RedisHotState(server.url, accounts, lambda: NOW)))


def test_a_redis_that_forgot_the_script_gets_it_again(accounts: AccountStore, tmp_path: Path) -> None:
    async def story(server: servers.Redis, hot: RedisHotState) -> None:
        assert await claim(hot, b"code") is Claim.WON
        server.command("SCRIPT", "FLUSH")
        assert await claim(hot, b"code") is Claim.LOST
        hot.close()

    with servers.redis(tmp_path / "redis") as server:
        asyncio.run(story(server, RedisHotState(server.url, accounts, lambda: NOW)))


def test_a_wrong_password_is_said(accounts: AccountStore, tmp_path: Path) -> None:
    async def story(server: servers.Redis) -> None:
        right = server.url.replace("redis://", "redis://:secret@")
        hot = RedisHotState(right, accounts, lambda: NOW)
        assert await claim(hot, b"code") is Claim.WON
        hot.close()
        with pytest.raises(Unavailable, match="refuses AUTH: WRONGPASS"):
            await claim(RedisHotState(right.replace("secret", "other"), accounts, lambda: NOW), b"code")

    with servers.redis(tmp_path / "redis") as server:
        server.command("CONFIG", "SET", "requirepass", "secret")
        asyncio.run(story(server))


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://127.0.0.1:port", "redis+sentinel://127.0.0.1:1"])
def test_another_url_is_a_setting_to_mend(url: str, accounts: AccountStore) -> None:
    with pytest.raises(ConfigError, match="redis: "):
        RedisHotState(url, accounts, lambda: NOW)


def test_a_master_of_the_cluster_is_killed_and_its_replica_takes_over(accounts: AccountStore, tmp_path: Path) -> None:
    """What was claimed and replicated stays claimed; nothing is accepted in between."""

    async def story(nodes: list[servers.Redis], hot: RedisHotState) -> None:
        assert await claim(hot, b"before") is Claim.WON
        await asyncio.sleep(0.5)  # replication is asynchronous
        slot = int(nodes[0].command("CLUSTER", "KEYSLOT", CARD))
        owner = next(node for node in nodes if _has(node, slot))
        owner.kill()
        assert await until_it_answers(hot, b"after") is Claim.WON
        assert await claim(hot, b"before") is Claim.LOST
        hot.close()

    with servers.redis_cluster(tmp_path / "cluster") as nodes:
        asyncio.run(story(nodes, RedisHotState(servers.cluster_url(nodes), accounts, lambda: NOW)))


def _has(node: servers.Redis, slot: int) -> bool:
    """The line of this node in its own list of nodes says `myself,master` and the ranges of its slots."""
    for line in node.command("CLUSTER", "NODES").splitlines():
        words = line.split()
        if "myself,master" in words[2]:
            return any(
                int(first) <= slot <= int(last or first) for first, _, last in (w.partition("-") for w in words[8:])
            )
    return False
