"""Requests that no client library would send, over real connections: each ends in a problem document or is closed, and
the service goes on, its memory bounded."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import pytest
from services import settings_of, workers_of

from ehc.cli.serve import start_service, stop_service
from ehc.web import incoming

HOT, COLD = "/v1/verify", "/v1/cards"
MEBIBYTE = 1024 * 1024


class Connecting(Protocol):
    def connect(self) -> socket.socket: ...


class Served:
    """A service with short patience."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid
        self.address = (urlsplit(url).hostname, urlsplit(url).port)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=30)

    def memory(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def is_well(self) -> bool:
        return httpx.get(f"{self.url}/ready", timeout=30).json() == {"status": "ready"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_of(tmp_path_factory.mktemp("wire"), body_seconds=1, idle_seconds=2)
    process, url = start_service(settings)
    (worker,) = workers_of(process)
    yield Served(url, worker)
    stop_service(process)


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode("latin-1")


def exchange(served: Connecting, *sent: bytes) -> tuple[int | None, dict[str, object], bool]:
    """(status, body, whether the server closed the connection); status None: it closed without a word."""
    with served.connect() as connection:
        try:
            for piece in sent:
                connection.sendall(piece)
        except OSError:
            pass  # it has answered and closed already
        raw = b""
        connection.settimeout(4)
        closed = False
        try:
            while chunk := connection.recv(65_536):
                raw += chunk
            closed = True
        except TimeoutError:
            pass
        except ConnectionResetError:
            closed = True
    if not raw:
        return None, {}, closed
    lines, _, body = raw.partition(b"\r\n\r\n")
    return int(lines.split()[1]), json.loads(body) if body else {}, closed


JSON = "Content-Type: application/json"


@pytest.mark.parametrize("path", [HOT, COLD])
def test_a_body_that_says_it_is_huge_is_refused_unread(served: Served, path: str) -> None:
    status, problem, closed = exchange(served, head(path, JSON, f"Content-Length: {100 * MEBIBYTE}"), b" " * 1000)
    assert (status, problem["type"], closed) == (413, "urn:ehc:problem:too-large", True)


@pytest.mark.parametrize("path", [HOT, COLD])
def test_a_huge_body_that_does_not_say_so_is_cut_off(served: Served, path: str) -> None:
    chunk = b"%x\r\n" % MEBIBYTE + b" " * MEBIBYTE + b"\r\n"
    before = served.memory()
    status, problem, closed = exchange(served, head(path, JSON, "Transfer-Encoding: chunked"), *[chunk] * 100)
    assert status in (413, None)  # None: the answer was lost behind what we went on sending
    assert problem.get("type", "urn:ehc:problem:too-large") == "urn:ehc:problem:too-large"
    assert closed
    assert served.memory() - before < 8 * MEBIBYTE


@pytest.mark.parametrize("path", [HOT, COLD])
@pytest.mark.parametrize("coding", ["Content-Length: 50", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_not_waited_for(served: Served, path: str, coding: str) -> None:
    begun = time.monotonic()
    status, problem, closed = exchange(served, head(path, JSON, coding), b"2\r\n{ \r\n")
    assert (status, problem["type"], closed) == (408, "urn:ehc:problem:timeout", True)
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("path", [HOT, COLD])
@pytest.mark.parametrize("last", [b"ZZ\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n"])
def test_a_broken_chunk_is_not_the_end_of_a_body(served: Served, path: str, last: bytes) -> None:
    whole = b'{"payload":"x","scene":"010101"}'
    chunk = b"%x\r\n" % len(whole) + whole + b"\r\n"
    status, problem, _ = exchange(served, head(path, JSON, "Transfer-Encoding: chunked"), chunk, last)
    assert (status, problem["type"]) == (400, "urn:ehc:problem:malformed")


@pytest.mark.parametrize("path", [HOT, COLD])
@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"[" * 10_000 + b"]" * 10_000, 422, "input"),
        (b'{"payload":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, 422, "input"),
        (b'{"colour":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 422, "input"),
        (b'{"payload":"\xff\xfe","scene":"010101"}', 400, "malformed"),
        (b'{"payload":"\xed\xa0\x80","scene":"010101"}', 400, "malformed"),
        (b'{"payload":"\\ud800","scene":"010101"}', 400, "malformed"),
        (b'{"payload":"a\x00b","scene":"010101"}', 400, "malformed"),
        (b"\x00" * 100, 400, "malformed"),
        (b"", 400, "malformed"),
        (b"1e999999", 422, "input"),
        (b"9" * 60_000, 422, "input"),
    ],
)
def test_a_body_that_means_no_good_is_a_problem_document(
    served: Served, path: str, body: bytes, status: int, kind: str
) -> None:
    body = body if path == HOT else body.replace(b"payload", b"id_number")
    answer = httpx.post(served.url + path, content=body, headers={"content-type": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:ehc:problem:{kind}")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: x\r\n", None),  # half a head: closed after idle_seconds
        (b"", None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS to a plain port
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET  HTTP/1.1\r\n\r\n", 400),
        (head("/health", "X: " + "a" * 1_000_000, method="GET"), 431),
        (head("/health", *(f"X{i}: a" for i in range(300)), method="GET"), 431),
        (head("/" + "a" * 100_000, method="GET"), 414),
        (head("/health", "Content-Length: -5", method="GET"), 400),
        (head("/health", "Content-Length: 5", "Content-Length: 6", method="GET"), 400),
        (head(HOT, JSON, "Content-Length: 5", "Transfer-Encoding: gzip"), 400),
        (head("/health", "Authorization: Bearer \xff\xfe\x01", method="GET"), 400),
        (b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    ],
)
def test_a_head_that_means_no_good_is_refused_and_closed(served: Served, sent: bytes, status: int | None) -> None:
    found, _, closed = exchange(served, sent)
    assert closed
    assert found in (status, 400, None)


def test_a_client_that_goes_away_is_forgotten(served: Served) -> None:
    for path in (HOT, COLD):
        for sent in (head(path, JSON, "Content-Length: 50") + b"{", head(path, JSON, "Content-Length: 2") + b"{}"):
            with served.connect() as connection:
                connection.sendall(sent)
    assert served.is_well()


def test_both_ways_in_answer_alike(served: Served) -> None:
    """The hot endpoints under RSGI, and the same through ASGI's part of the app, by their documents."""
    for body, status in ((b'{"payload":"x","scene":"010101"}', 200), (b"{", 400), (b"{}", 422)):
        answer = httpx.post(served.url + HOT, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == status
        assert len(answer.headers["x-request-id"]) == 32
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [HOT, "/v1/time"])
def test_a_terminal_whose_clock_is_wrong_is_told(served: Served, path: str) -> None:
    options = {"json": {"payload": "x", "scene": "010101"}} if path == HOT else {}
    for client_time, alarm in ((time.time(), False), (time.time() - 3600, True)):
        headers = {"x-client-time": f"{client_time:.3f}"}
        answer = httpx.request("POST" if path == HOT else "GET", served.url + path, headers=headers, **options)
        assert ("x-clock-drift" in answer.headers) is alarm
    assert -3605 < int(answer.headers["x-clock-drift"]) < -3595


CONNECTIONS = 10_000


def test_ten_thousand_connections_are_held_and_others_are_served(served: Served) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 500:
        pytest.skip(f"this machine lets a process open {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = served.memory()
    held = []
    try:
        for _ in range(CONNECTIONS):
            connection = served.connect()
            held.append(connection)
            connection.sendall(b"GET /health HTTP/1.1\r\n")
        assert served.is_well()
        assert served.memory() - before < 400 * MEBIBYTE
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert served.is_well()


def test_a_body_that_came_while_the_process_was_stopped_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "SWEEP_SECONDS", 0.1)

    async def read() -> bytes:
        bodies, came = incoming.Bodies(0.5), asyncio.Event()

        async def proto() -> bytes:
            await came.wait()
            return b"whole"

        sweeping = asyncio.ensure_future(bodies.sweep())
        reading = asyncio.ensure_future(bodies.whole({"content-length": "5"}.get, proto, 5))
        await asyncio.sleep(0.05)
        time.sleep(1)  # the pause
        await asyncio.sleep(0.15)
        came.set()
        try:
            return await reading
        finally:
            sweeping.cancel()

    assert asyncio.run(read()) == b"whole"
