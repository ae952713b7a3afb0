"""The servers of service.py, each on the first core: ours twice, a constant answer, and two that others would write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis
import redis.cluster
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from ehc.access.caller import digest_of, key_of, new_caller
from ehc.cards.invented import people
from ehc.config import Settings
from ehc.keys.keyring import Keyring, Purpose
from ehc.wiring.keys import keyring_folder
from ehc.wiring.services import Services, open_services

SERVER_CORE, LOAD_CORE = 0, 1
CARDS, CODES_A_CARD = 400, 50
PROTECTION_KEY = "11223344556677888877665544332211"
HEAD = "POST {path} HTTP/1.1\r\nHost: ehc\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\n"
VALIDITY = 86_400
PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Server:
    name: str
    url: str
    key: str
    bodies: Path  # a body a line
    expect: str = '"accepted":true'
    steady: bool = False  # also asked at constant rates


def pinned(core: int | str, *command: object) -> list[str]:
    return ["taskset", "-c", str(core), *map(str, command)]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], url: str, log: Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | (environment or {}))
    try:
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8")[-2000:]
        with contextlib.suppress(OSError, httpx.HTTPError, redis.ConnectionError):
            if url.startswith("redis"):
                redis.Redis.from_url(url).ping()
            else:
                httpx.get(url)
            return
        time.sleep(0.1)
    raise TimeoutError(url)


@contextlib.contextmanager
def open_servers(folder: Path) -> Iterator[list[Server]]:
    key = key_of(secrets.token_bytes(32))
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(one_redis(folder))
        peer = _peer_keys() | {"PEER_CALLER": digest_of(key).hex(), "PEER_REDIS": f"{store}/0"}
        constant, expert, usual = (free_port() for _ in range(3))
        granian = _granian("service_constant:app", constant)
        uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", PEERS, "--log-level", "error", "--no-access-log"]
        commands = {
            "constant": (granian, constant, None),
            "expert": (pinned(SERVER_CORE, *uvicorn, "service_expert:app", "--port", expert), expert, peer),
            "usual": (pinned(SERVER_CORE, *uvicorn, "service_usual:app", "--port", usual), usual, peer),
        }
        at = {
            name: stack.enter_context(running(command, f"http://127.0.0.1:{port}", folder / f"{name}.log", environment))
            for name, (command, port, environment) in commands.items()
        }
        mapped = Settings(home=str(folder / "mapped"), issue_profile="E2", validity_seconds=VALIDITY)
        shared = Settings(home=str(folder / "redis"), issue_profile="E2", validity_seconds=VALIDITY, redis=f"{store}/1")
        for settings in (mapped, shared):
            make_home(settings, key)
        in_host, with_redis = (stack.enter_context(ours(settings)) for settings in (mapped, shared))
        bodies = make_bodies(mapped, in_host, key, f"{store}/0", codes_a_card=CODES_A_CARD)
        redis_bodies = make_bodies(shared, with_redis, key, codes_a_card=CODES_A_CARD)
        yield [
            Server("constant answer", at["constant"], key, bodies, steady=True),
            Server("ehc, state in the host", in_host, key, bodies, steady=True),
            Server("ehc, state in Redis", with_redis, key, redis_bodies, steady=True),
            Server("Starlette + orjson + cryptography", at["expert"], key, bodies),
            Server("FastAPI + gmssl", at["usual"], key, bodies),
        ]


def _granian(app: str, port: int) -> list[str]:
    options = ["--interface", "rsgi", "--no-ws", "--http", "1", "--log-level", "error", "--port", port]
    return pinned(SERVER_CORE, sys.executable, "-m", "granian", *options, "--working-dir", PEERS, app)


@contextlib.contextmanager
def one_redis(folder: Path) -> Iterator[str]:
    port = free_port()
    options = ["--port", port, "--save", "", "--appendonly", "no", "--dir", folder]
    with running(pinned(LOAD_CORE, "redis-server", *options), f"redis://127.0.0.1:{port}", folder / "redis.log") as url:
        yield url


@contextlib.contextmanager
def redis_cluster(folder: Path, masters: int = 3) -> Iterator[str]:
    """On the load's core, as the one Redis is."""
    with contextlib.ExitStack() as stack:
        ports = [free_port() for _ in range(masters)]
        for port in ports:
            home = folder / f"node-{port}"
            home.mkdir()
            options = ["--port", port, "--save", "", "--appendonly", "no", "--dir", home, "--cluster-enabled", "yes"]
            command = pinned(LOAD_CORE, "redis-server", *options, "--cluster-port", free_port())
            stack.enter_context(running(command, f"redis://127.0.0.1:{port}", folder / f"node-{port}.log"))
        at = [f"127.0.0.1:{port}" for port in ports]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *at, "--cluster-yes"], check=True, stdout=subprocess.DEVNULL
        )
        client = redis.cluster.RedisCluster(host="127.0.0.1", port=ports[0])
        while any(client.cluster_info(node)["cluster_state"] != "ok" for node in client.get_nodes()):
            time.sleep(0.1)
        client.close()
        yield f"redis+cluster://{','.join(at)}"


@contextlib.contextmanager
def ours(settings: Settings, workers: int = 1) -> Iterator[str]:
    """Two workers have both cores, which they share with the load."""
    port, cores = free_port(), str(SERVER_CORE) if workers == 1 else f"{SERVER_CORE},{LOAD_CORE}"
    environment = {
        "EHC_HOME": settings.home,
        "EHC_ISSUE_PROFILE": "E2",
        "EHC_VALIDITY_SECONDS": str(VALIDITY),
        "EHC_REDIS": settings.redis,
    }
    command = pinned(cores, sys.executable, "-m", "ehc.cli", "serve", "--port", port, "--workers", workers)
    log = settings.home_path().with_suffix(".log")
    with running(command, f"http://127.0.0.1:{port}", log, environment) as url:
        yield url


def _peer_keys() -> dict[str, str]:
    """alias_key and mac_key of the protection key (native/README.md)."""
    found = {}
    for name, purpose in (("PEER_ALIAS_KEY", b"ehc alias v1"), ("PEER_MAC_KEY", b"ehc mac v1")):
        mac = HMAC(bytes.fromhex(PROTECTION_KEY), hashes.SM3())
        mac.update(purpose)
        found[name] = mac.finalize().hex()
    found["PEER_ALIAS_KEY"] = found["PEER_ALIAS_KEY"][:32]
    return found


def make_home(settings: Settings, key: str) -> None:
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex(PROTECTION_KEY), 0)
        keyring_folder(settings).create(keyring)
    services = open_services(settings)
    caller = new_caller("bench", ["verify", "codes", "register"], rate=10_000_000)
    services.callers.add(caller, digest_of(key), services.clock())
    services.close()


def make_bodies(
    settings: Settings, url: str, key: str, peer: str | None = None, *, cards: int = CARDS, codes_a_card: int
) -> Path:
    """Cards, at most 10,000, and codes; the file of the bodies to send. peer: where the others' cards go too."""
    rows = [dict(zip(("id_type", "id_number", "name"), one, strict=True)) for one in people(cards, seed=7)]
    head = {"authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/v1/cards/batch", json={"people": rows}, headers=head, timeout=60).raise_for_status()
    card_ids = [row["card_id"] for row in answer.json()["rows"]]
    services = open_services(settings)
    if peer:
        store = redis.Redis.from_url(peer)
        for card_id in card_ids:
            card = services.account_store.card(card_id).status()
            store.hset(f"account:{card.account}", mapping={"state": 1, "name": card.name, "card_id": card_id})
    codes = asyncio.run(_codes(services, card_ids, codes_a_card))
    place = {"scene": "010105", "institution": "H440100001", "terminal": "desk-1"}
    path = settings.home_path() / "bodies"
    path.write_text("".join(json.dumps({"payload": code} | place) + "\n" for code in codes), "utf-8")
    return path


async def _codes(services: Services, card_ids: list[str], codes_a_card: int) -> list[str]:
    """Every card's first, then every card's second …"""
    now = services.clock()
    made = [(await services.issuer.dynamic(one, now)).payload for _ in range(codes_a_card) for one in card_ids]
    services.close()
    return made
