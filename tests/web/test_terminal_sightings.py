"""A terminal is seen on the server's own interface too, and what was seen is written when the service stops."""

from pathlib import Path

import httpx
from services import settings_of

from ehc.cli.serve import start_service, stop_service
from ehc.institutions.place import Terminal
from ehc.wiring.stores import open_store

HOSPITAL = {"code": "H-1", "name": "测试医院", "region": "510104", "kind": "A100"}
SEEN = {"payload": "x", "scene": "010101", "institution": "H-1", "terminal": "t1"}


def test_a_served_terminal_was_seen_with_its_clock(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    process, url = start_service(settings)
    try:
        with httpx.Client(base_url=url, timeout=60) as client:
            added = client.post("/v1/institutions", json=HOSPITAL)
            client.post("/v1/institutions/H-1/terminals", json={"code": "t1", "channel": "02"}).raise_for_status()
            now = client.get("/v1/time").json()["epoch"]
            seen = client.post("/v1/verify", json=SEEN, headers={"x-client-time": str(now - 1000)})
            assert (added.status_code, seen.status_code) == (201, 200)
    finally:
        stop_service(process)
    stores = open_store(settings)
    found = stores.places.find(Terminal, "H-1", "t1")
    stores.close()
    assert found is not None
    assert found.last_seen is not None
    assert now <= found.last_seen <= now + 600
    assert found.clock_drift is not None
    assert -1600 <= found.clock_drift <= -1000
