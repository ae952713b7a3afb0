"""The service while its Redis is killed and comes back: it refuses, or goes on and says so, as it is set."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import servers
from services import settings_of, wait_for

from ehc.cli.serve import start_service, stop_service

PERSON = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
CONSULTATION, PAYMENT = "010102", "010105"
CODES = 40


@dataclass
class Site:
    redis: servers.Redis
    client: httpx.Client
    card: str

    def verify(self, payload: str, scene: str, terminal: str = "t1") -> httpx.Response:
        body = {"payload": payload, "scene": scene, "institution": "H-1", "terminal": terminal}
        return self.client.post("/v1/verify", json=body)

    def code(self, kind: str = "dynamic") -> str:
        answer = self.client.post("/v1/codes", json={"card_id": self.card, "kind": kind})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["payload"])

    def ready(self) -> tuple[int, Any]:
        answer = self.client.get("/ready")
        return answer.status_code, answer.json()["status"]


@pytest.fixture(params=["refuse", "degrade"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with servers.redis(tmp_path / "redis") as redis:
        settings = settings_of(tmp_path / "home", redis=redis.url, redis_gone=request.param, issue_profile="E2")
        process, url = start_service(settings)
        with httpx.Client(base_url=url, timeout=30) as client:
            card = client.post("/v1/cards", json=PERSON).json()["card_id"]
            yield Site(redis, client, card)
        stop_service(process)


def degraded(site: Site) -> float:
    lines = site.client.get("/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("ehc_degraded_acceptances_total"))


@pytest.mark.parametrize("site", ["refuse"], indirect=True)
def test_without_redis_nothing_is_accepted(site: Site) -> None:
    codes = [(site.code(), CONSULTATION), (site.code("static"), CONSULTATION), (site.code(), PAYMENT)]
    assert site.ready() == (200, "ready")
    site.redis.kill()
    assert site.ready() == (503, 503)
    for code, scene in codes:
        answer = site.verify(code, scene)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:ehc:problem:unavailable")
    site.redis.start()
    wait_for(lambda: site.ready() == (200, "ready"))
    for code, scene in codes:
        wait_for(lambda code=code, scene=scene: site.verify(code, scene).json().get("accepted"))
    assert degraded(site) == 0


@pytest.mark.parametrize("site", ["degrade"], indirect=True)
def test_without_redis_codes_that_serve_often_are_accepted_and_it_is_said(site: Site) -> None:
    dynamic, static, once = site.code(), site.code("static"), site.code()
    assert site.verify(dynamic, CONSULTATION).json()["degraded"] is False
    site.redis.kill()
    assert site.ready() == (200, "degraded")
    for code in (dynamic, static, site.code()):
        answer = site.verify(code, CONSULTATION).json()
        assert (answer["accepted"], answer["degraded"], answer["name"]) == (True, True, "****卡")
    assert degraded(site) == 3
    assert site.verify(once, PAYMENT).status_code == 503
    assert site.verify(f"{site.card}:0:{'AB' * 16}", CONSULTATION).json()["accepted"] is False
    assert site.client.post("/v1/codes/revoke", json={"payload": dynamic}).status_code == 503
    owner = {"code": dynamic, "scene": CONSULTATION}
    assert site.client.post("/v1/cards/find", json=owner).status_code == 503
    batch = {"institution": "H-1", "terminal": "t1", "checks": [_check(site, dynamic)]}
    assert site.client.post("/v1/verify/batch", json=batch).status_code == 503
    site.redis.start()
    wait_for(lambda: site.ready() == (200, "ready"))
    wait_for(lambda: site.verify(dynamic, CONSULTATION).json().get("degraded") is False)
    assert site.verify(once, PAYMENT, "t1").json()["accepted"]
    assert site.verify(once, PAYMENT, "t2").json()["reason"] == "replayed"
    assert degraded(site) >= 3


def _check(site: Site, code: str) -> dict[str, Any]:
    now = site.client.get("/v1/time").json()["epoch"]
    return {"payload": code, "at": now, "scene": CONSULTATION, "accepted": True}


def test_no_code_is_accepted_twice_while_redis_is_killed_and_started_again(site: Site) -> None:
    """Two places want every code, and go on until each is told yes or no."""
    codes = [site.code() for _ in range(CODES)]
    accepted: Counter[str] = Counter()
    answered = threading.Semaphore(0)

    def claim_all(terminal: str) -> None:
        for code in codes:
            while (answer := site.verify(code, PAYMENT, terminal)).status_code == 503:
                pass
            accepted[code] += answer.json()["accepted"]
            answered.release()

    racers = [threading.Thread(target=claim_all, args=(terminal,)) for terminal in ("t1", "t2")]
    for racer in racers:
        racer.start()
    for _ in range(3):
        for _ in range(CODES // 4):
            assert answered.acquire(timeout=60)
        site.redis.kill()
        site.redis.start()
    for racer in racers:
        racer.join(60)
        assert not racer.is_alive()
    assert max(accepted.values()) == 1
