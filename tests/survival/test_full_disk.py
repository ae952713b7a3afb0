"""The disk under a service is full: refusals that say so, others are served, and work again when there is room."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from services import settings_of

from ehc.cli.serve import running_service

MOST = 20_000  # people: far more than there is room for


def passports(first: int) -> dict[str, list[dict[str, str]]]:
    people = [{"id_type": "03", "id_number": f"E{first + i:08}", "name": "TEST PERSON"} for i in range(100)]
    return {"people": people}


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """20 MiB of memory as a disk: 4 hold the counted rates."""
    place = Path(tempfile.mkdtemp(prefix="ehc-full-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=0700", "tmpfs", place]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode:
        place.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)
    place.rmdir()


def fill(path: Path) -> None:
    """Until not a block is left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_service_on_a_full_disk_refuses_what_it_cannot_keep_and_recovers(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(12 << 20))
    with running_service(settings_of(small_disk / "home")) as url, httpx.Client(base_url=url, timeout=60) as client:
        card = client.post("/v1/cards", json=passports(0)["people"][0]).json()["card_id"]
        kept = []
        for first in range(100, MOST, 100):
            answer = client.post("/v1/cards/batch", json=passports(first))
            if answer.status_code != 200:
                break
            kept.append(first)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:ehc:problem:unavailable")
        assert "full" in answer.json()["detail"]
        assert kept
        shown = {"payload": f"{card}:1", "scene": "010101"}
        assert client.post("/v1/verify", json=shown).json()["accepted"]
        assert client.get("/health").is_success
        (small_disk / "filler").unlink()
        assert {row["outcome"] for row in client.post("/v1/cards/batch", json=passports(first)).json()["rows"]} == {
            "created"
        }
        for known in (kept[0], kept[-1]):
            rows = client.post("/v1/cards/batch", json=passports(known)).json()["rows"]
            assert {row["outcome"] for row in rows} == {"existing"}
        assert client.get("/ready").is_success


def test_codes_that_find_no_room_are_not_given_out_and_not_accepted(small_disk: Path) -> None:
    home, elsewhere = small_disk / "home", tempfile.TemporaryDirectory()
    with elsewhere as other:
        settings = settings_of(home, database=f"sqlite:///{other}/ehc.db")
        with running_service(settings) as url, httpx.Client(base_url=url, timeout=60) as client:
            card = client.post("/v1/cards", json=passports(0)["people"][0]).json()["card_id"]
            filler = small_disk / "filler"
            fill(filler)
            wanted = {"card_id": card, "kind": "dynamic"}
            answer = client.post("/v1/codes", json=wanted)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:ehc:problem:unavailable")
            filler.unlink()
            code = client.post("/v1/codes", json=wanted).json()["payload"]
            paid = {"payload": code, "scene": "010105"}
            found = [client.post("/v1/verify", json=paid).json()["accepted"] for _ in range(2)]
            assert found == [True, False]
