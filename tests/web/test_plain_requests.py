"""Requests let in by native calls (hot.pxi) are served as those that take the long way: here those whose Content-Type
is not plain. Over real connections, by a service that knows its callers."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from services import settings_of, wait_for
from test_wire import exchange, head

from ehc.access.caller import Scope, digest_of, key_of, new_caller
from ehc.cli.serve import running_service
from ehc.config import Settings
from ehc.wiring.services import open_services

PLAIN, OTHER = "application/json", "application/json; charset=utf-8"
PERSON = {"id_type": "03", "id_number": "E00000001", "name": "张三"}
ALL, SLOW, LOOKER = (key_of(bytes([n]) * 32) for n in (1, 2, 3))


class Served:
    def __init__(self, settings: Settings, client: httpx.Client) -> None:
        self.settings, self._client = settings, client
        self.card = self.post("/v1/cards", PERSON).json()["card_id"]

    def post(self, path: str, body: Any, kind: str = PLAIN, key: str = ALL, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.post(
            path, content=content, headers={"Authorization": f"Bearer {key}", "Content-Type": kind} | named
        )

    def code(self) -> str:
        answer = self.post("/v1/codes", {"card_id": self.card, "kind": "dynamic"})
        return str(answer.json()["payload"])

    def connect(self) -> socket.socket:
        return socket.create_connection((self._client.base_url.host, self._client.base_url.port), timeout=30)

    def counted(self, *names: str) -> float:
        """Of the metrics whose lines begin so."""
        lines = self._client.get("/metrics", headers={"Authorization": f"Bearer {ALL}"}).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(names))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_of(tmp_path_factory.mktemp("plain"), body_seconds=1)
    with closing(open_services(settings)) as services:
        for key, caller in (
            (ALL, new_caller("all", [*Scope])),
            (SLOW, new_caller("slow", ["verify"], rate=1)),
            (LOOKER, new_caller("looker", ["codes"])),
        ):
            services.callers.add(caller, digest_of(key), services.clock())
    with running_service(settings) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield Served(settings, client)


def said(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """What is the same for two requests: all but ids, the moment, and whether a body that nobody wanted had come."""
    of_one = ("connection", "date", "x-request-id")
    body = answer.content.replace(answer.headers["x-request-id"].encode(), b"")
    return (
        answer.status_code,
        body,
        sorted((name, value) for name, value in answer.headers.items() if name not in of_one),
    )


@pytest.mark.parametrize("ahead", [None, "0", "9", "-9", "100", "-100", "nan", "x", ""])
def test_the_same_answer_either_way(served: Served, ahead: str | None) -> None:
    body = {"payload": served.code(), "scene": "010103"}
    clock = {} if ahead is None else {"X_Client_Time": ahead}
    for _ in range(2):  # what was learned from the first is answered by native calls
        if ahead is not None and ahead.strip("-").isdigit():
            clock = {"X_Client_Time": str(int(time.time()) + int(ahead))}
        plain, other = (served.post("/v1/verify", body, kind, **clock) for kind in (PLAIN, OTHER))
        assert plain.json()["accepted"], plain.text
        if ahead not in ("100", "-100"):  # a second may have passed between them
            assert said(plain) == said(other)
        assert ("x-clock-drift" in plain.headers) == ("x-clock-drift" in other.headers) == (ahead in ("100", "-100"))


@pytest.mark.parametrize(
    ("body", "key", "status"),
    [
        (b'{"payload":"x","scene":"010103"}', ALL, 200),
        (b"{", ALL, 400),
        (b'{"scene":1}', ALL, 422),
        (b" " * 65_537, ALL, 413),
        (b"{}", key_of(bytes(32)), 401),
        (b"{}", LOOKER, 403),
    ],
)
def test_what_is_refused_is_refused_alike(served: Served, body: bytes, key: str, status: int) -> None:
    plain, other = (served.post("/v1/verify", body, kind, key) for kind in (PLAIN, OTHER))
    assert plain.status_code == status
    assert said(plain) == said(other)


def test_a_request_id_is_taken_or_made(served: Served) -> None:
    body = {"payload": served.code(), "scene": "010103"}
    for _ in range(2):
        assert served.post("/v1/verify", body, X_Request_Id="a.b-1_2").headers["x-request-id"] == "a.b-1_2"
        assert served.post("/v1/verify", b"{", X_Request_Id="a.b-1_2").json()["instance"] == "urn:ehc:request:a.b-1_2"
    made = [
        served.post("/v1/verify", body, X_Request_Id=given).headers["x-request-id"] for given in ("no id", "x" * 65)
    ]
    made += [served.post("/v1/verify", body).headers["x-request-id"] for _ in range(9)]
    assert {len(one) for one in made} == {32}
    assert len(set(made)) == len(made)


def test_either_way_takes_from_the_same_rate(served: Served) -> None:
    body = {"payload": served.code(), "scene": "010103"}
    found = [served.post("/v1/verify", body, kind, SLOW).status_code for kind in (PLAIN, OTHER, PLAIN) * 9]
    assert 429 in found
    assert set(found) == {200, 429}
    assert found.count(200) < 12  # a burst, and one a second


def test_all_are_counted(served: Served) -> None:
    body = {"payload": served.code(), "scene": "010103"}
    asked, accepted = (
        'ehc_requests_total{operation="verify",status="200"}',
        'ehc_verifications_total{reason="accepted"}',
    )
    seconds = 'ehc_request_seconds_count{operation="verify"}'
    before = [served.counted(name) for name in (asked, accepted, seconds)]
    for kind in (PLAIN, OTHER) * 10:
        served.post("/v1/verify", body, kind)
    assert [served.counted(name) for name in (asked, accepted, seconds)] == [n + 20 for n in before]


def test_a_body_that_does_not_come_is_not_waited_for(served: Served) -> None:
    key = f"Authorization: Bearer {ALL}"
    sent = head("/v1/verify", key, f"Content-Type: {PLAIN}", "Content-Length: 50")
    status, problem, closed = exchange(served, sent, b"{ ")
    assert (status, problem["type"], closed) == (408, "urn:ehc:problem:timeout", True)


def test_who_goes_away_is_counted_as_cut_off(served: Served) -> None:
    cut_off = 'ehc_requests_total{operation="verify",status="0"}'
    before, key = served.counted(cut_off), f"Authorization: Bearer {ALL}"
    with served.connect() as connection:
        connection.sendall(head("/v1/verify", key, f"Content-Type: {PLAIN}", "Content-Length: 50") + b"{ ")
        time.sleep(0.2)
    wait_for(lambda: served.counted(cut_off) == before + 1)


def test_a_key_that_is_revoked_is_refused(served: Served) -> None:
    body, key = {"payload": served.code(), "scene": "010103"}, key_of(bytes([4]) * 32)
    with closing(open_services(served.settings)) as services:
        services.callers.add(new_caller("former", ["verify"]), digest_of(key), services.clock())
        wait_for(lambda: served.post("/v1/verify", body, key=key).status_code == 200)
        assert served.post("/v1/verify", body, key=key).status_code == 200
        services.callers.revoke("former", services.clock())
    wait_for(lambda: served.post("/v1/verify", body, key=key).status_code == 401)
