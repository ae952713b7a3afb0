"""The servers behind a Redis URL: one RedisLine to each, opened when it is needed and again when it broke; in a
cluster, which server has which slot. Nothing is sent twice but what a server refused to look at (MOVED, ASK, NOSCRIPT).
"""

from __future__ import annotations

import asyncio
import binascii
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import hiredis
import redis
import redis.cluster

from ehc.errors import ConfigError, Unavailable
from ehc.store.redis_line import ANSWER_SECONDS, RedisLine, packed

SLOTS = 16_384
Address = tuple[str, int]


class RedisNodes:
    """script: loaded on every server that is connected to. forget: as RedisLine has it; watches: whether all tell."""

    def __init__(self, url: str, script: bytes, forget: Callable[[list[bytes] | None], None]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "redis+cluster", "rediss+cluster"):
            raise ConfigError("redis: write redis://host:port/db, rediss://… or redis+cluster://host:port,host:port")
        self._forget, self.watches = forget, True
        self._script = packed("SCRIPT", "LOAD", script)
        self._cluster = parts.scheme.endswith("+cluster")
        self._tls = ssl.create_default_context() if parts.scheme.startswith("rediss") else None
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._seeds = _addresses(parts.netloc.rpartition("@")[2])
        self._database = 0 if self._cluster else int(parts.path.strip("/") or 0)
        self._lines: dict[Address, RedisLine] = {}
        self._opening: dict[Address, asyncio.Task[RedisLine]] = {}
        self._owners: list[Address] = []
        self._client = self._blocking_client()

    async def call(self, tag: bytes, command: bytes) -> Any:
        """The answer of the server that has this hash tag. Raises Unavailable."""
        line = self.line(tag) or await self._line(tag)
        answer = await line.send(command)
        return await self._again(line, tag, command, answer) if isinstance(answer, hiredis.ReplyError) else answer

    def line(self, tag: bytes) -> RedisLine | None:
        """To the server that has this hash tag; None where it is not open."""
        if not self._cluster:
            line = self._lines.get(self._seeds[0])
        else:
            line = self._lines.get(self._owner(tag)) if self._owners else None
        return line if line is not None and line.open else None

    def blocking(self, *commands: tuple[Any, ...]) -> None:
        """From a thread, not from the event loop. Raises Unavailable."""
        try:
            for command in commands:
                self._client.execute_command(*command)
        except redis.RedisError as error:
            raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        self._client.close()

    async def _again(self, line: RedisLine, tag: bytes, command: bytes, error: hiredis.ReplyError) -> Any:
        """After a refusal that says where, or what first; any other is Unavailable."""
        word, *rest = str(error).split()
        if word == "NOSCRIPT":
            line.send(self._script)
            answer = await line.send(command)
        elif word == "MOVED":
            self._forget_owners()
            answer = await (await self._line(tag)).send(command)
        elif word == "ASK":
            moving = await self._open(_address(rest[1]))
            moving.send(packed("ASKING"))
            answer = await moving.send(command)
        else:
            answer = error
        if isinstance(answer, hiredis.ReplyError):
            raise Unavailable(f"Redis at {line.name} refuses: {str(answer).split()[0]}")
        return answer

    async def _line(self, tag: bytes) -> RedisLine:
        if self._cluster and not self._owners:
            await self._find_owners()
        try:
            return await self._open(self._owner(tag))
        except Unavailable:
            if self._cluster:  # it may have been replaced: ask the others next time
                self._forget_owners()
            raise

    def _owner(self, tag: bytes) -> Address:
        return self._owners[binascii.crc_hqx(tag, 0) % SLOTS] if self._cluster else self._seeds[0]

    def _forget_owners(self) -> None:
        """Another server may tell what changes."""
        self._owners.clear()
        self._forget(None)

    async def _find_owners(self) -> None:
        for address in dict.fromkeys((*self._seeds, *self._lines)):
            try:
                ranges = await (await self._open(address)).send(packed("CLUSTER", "SLOTS"))
            except Unavailable:
                continue
            owners = [self._seeds[0]] * SLOTS
            covered = 0
            for first, last, (host, port, *_), *_ in ranges if isinstance(ranges, list) else ():
                owners[first : last + 1] = [(host.decode() or address[0], port)] * (last - first + 1)
                covered += last - first + 1
            if covered == SLOTS:
                self._owners = owners
                return
        raise Unavailable("no server of the Redis cluster knows who has all its slots")

    async def _open(self, address: Address) -> RedisLine:
        """One connection attempt a server at a time, however many wait for it."""
        line = self._lines.get(address)
        if line is not None and line.open:
            return line
        task = self._opening.get(address)
        if task is None:
            task = self._opening[address] = asyncio.ensure_future(self._connect(address))
            task.add_done_callback(lambda _: self._opening.pop(address, None))
        return await asyncio.shield(task)

    async def _connect(self, address: Address) -> RedisLine:
        name = f"{address[0]}:{address[1]}"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                _, line = await loop.create_connection(lambda: RedisLine(name, self._forget), *address, ssl=self._tls)
        except OSError as error:  # TimeoutError is one
            raise Unavailable(f"no connection to Redis at {name}: {error.strerror or 'no answer'}") from error
        for words in self._greeting():
            answer = await line.send(packed(*words))
            if isinstance(answer, hiredis.ReplyError):
                line.close()
                raise Unavailable(f"Redis at {name} refuses {words[0]}: {str(answer).split()[0]}")
        line.send(self._script)
        self.watches = self.watches and await _watches(line)
        self._lines[address] = line
        return line

    def _greeting(self) -> list[tuple[str | int, ...]]:
        login: tuple[str | int, ...] = ("AUTH", *filter(None, (self._user,)), self._password)
        return [login] * bool(self._password) + [("SELECT", self._database)] * bool(self._database)

    def _blocking_client(self) -> Any:
        host, port = self._seeds[0]
        options: dict[str, Any] = {
            "username": self._user or None,
            "password": self._password or None,
            "ssl": self._tls is not None,
            "socket_timeout": ANSWER_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
        }
        if self._cluster:
            nodes = [redis.cluster.ClusterNode(*address) for address in self._seeds]  # type: ignore[no-untyped-call]
            return _LaterCluster(nodes, options)
        return redis.Redis(host, port, self._database, **options)


class _LaterCluster:
    """redis-py's cluster client, made when it is first used: making it needs the cluster."""

    def __init__(self, nodes: list[Any], options: dict[str, Any]) -> None:
        self._nodes, self._options = nodes, options
        self._client: Any = None

    def execute_command(self, *words: Any) -> Any:
        if self._client is None:
            self._client = redis.cluster.RedisCluster(startup_nodes=self._nodes, **self._options)
        return self._client.execute_command(*words)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


async def _watches(line: RedisLine) -> bool:
    """Whether this server will tell what changes, and takes SET with NX and GET: Redis 7, unless its ACL forbids us."""
    hello = await line.send(packed("HELLO", 3))
    version = hello.get(b"version", b"").partition(b".")[0] if isinstance(hello, dict) else b""
    if not version.isdigit() or int(version) < 7:
        return False
    tracking = await line.send(packed("CLIENT", "TRACKING", "ON", "OPTIN"))
    return not isinstance(tracking, hiredis.ReplyError)


def _addresses(text: str) -> list[Address]:
    return [_address(part) for part in text.split(",")]


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "6379")
    try:
        return host.strip("[]") or "127.0.0.1", int(port)
    except ValueError as error:
        raise ConfigError("redis: a server is host:port") from error
