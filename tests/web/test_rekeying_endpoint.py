"""GET /v1/keys/rekeying while a small province is re-keyed for real."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx
from test_callers import AFAR, bearer

from ehc.cards.rekeying import Rekeyer
from ehc.client import AsyncClient, BearerKey
from ehc.client.answers import Rekeying
from ehc.config import Settings
from ehc.keys.keyring import KeyState, Purpose
from ehc.wiring.keys import keyring_folder

PATH = "/v1/keys/rekeying"


def job_of(service: Any) -> Rekeyer:
    return Rekeyer(service.services.rekeying, service.services.keys, most=2)


def with_two_versions(make_service: Callable[..., Any], tmp_path: Any) -> Any:
    with keyring_folder(Settings(home=str(tmp_path))).change() as ring:
        ring.add(Purpose.SECURITY_KEY, bytearray(range(16)), 0, state=KeyState.PRE_ACTIVE)
    return make_service()


def test_a_rekeying_is_told_from_its_first_step_to_the_flip(make_service: Any, tmp_path: Any) -> None:
    service = with_two_versions(make_service, tmp_path)
    assert service.get(PATH).status_code == 404
    for i in range(5):
        service.register(id_type="03", id_number=f"E0000000{i}", name="测试")
    job = job_of(service)
    job.begin(1, 2, service.clock.now)
    begun = service.get(PATH).json()
    assert begun == begun | {"phase": "backfill", "working": True, "paused": False, "old_version": 1, "new_version": 2}
    assert begun == begun | {"present": 1, "done": 0, "rate": 0.0, "seconds_left": None, "ended_at": None}
    assert begun["began_at"] == "2026-01-01T08:00:00+08:00"
    job.step(service.clock.now)
    under_way = service.get(PATH).json()
    assert 0 < under_way["done"] < under_way["total"] == 5
    assert under_way["rate"] > 0
    assert under_way["seconds_left"] > 0
    while job.step(service.clock.now):
        pass
    ready = service.get(PATH).json()
    assert ready == ready | {"phase": "ready", "working": False, "seconds_left": None, "present": 1, "wrong": 0}
    job.flip(service.clock.now)
    assert service.get(PATH).json()["present"] == 2


def test_its_scope_alone_lets_in_and_the_client_reads_it(make_service: Any, tmp_path: Any) -> None:
    service = with_two_versions(make_service, tmp_path)
    job_of(service).begin(1, 2, service.clock.now)
    counts, watches = bearer(service, "counts", "statistics:read"), bearer(service, "watches", "keys:read")
    assert service.get(PATH, headers=AFAR | counts).status_code == 403
    key = BearerKey(watches["authorization"].removeprefix("Bearer "))

    async def ask() -> Rekeying:
        async with AsyncClient("http://ehc.example", key, transport=httpx.ASGITransport(service.app)) as client:
            return await client.rekeying()

    assert anyio.run(ask).phase == "backfill"
