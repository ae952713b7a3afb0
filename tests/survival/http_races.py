"""Two race over HTTP for one code, again and again: exactly one wins each time.

    PYTHONPATH=tests python tests/survival/http_races.py --codes 1000000 --state races.json

Two workers of one service over mapped files, and two nodes over one Redis. One process prepares a block of codes and
sends all of it to both at once, each over a connection of its own that stays; so both answer the same codes in the same
order at the same time. Who is sent it first takes turns. With --state what was raced stands in that file, and the
next run goes on from there: the campaign may be ended at any moment.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import servers
from services import settings_of
from state_files import read_state, write_state

from ehc.cli.serve import start_service

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
BLOCK = 100
WAYS = {"two workers, mapped files": 1, "two nodes, one Redis": 2}
"""What races -> services."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_REQUEST = re.compile(rb"\r\nx-request-id: *([0-9a-f]{16})", re.IGNORECASE)


def request(method: str, path: str, body: Any = None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def showing(code: str, terminal: str) -> bytes:
    return request(
        "POST", "/v1/verify", {"payload": code, "scene": "010105", "institution": "H-1", "terminal": terminal}
    )


class Line:
    """A connection that stays; requests are sent without waiting for the answers to those before."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=300)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def close(self) -> None:
        self._socket.close()

    def send(self, requests: Sequence[bytes]) -> None:
        self._socket.sendall(b"".join(requests))

    def answers(self, count: int) -> Iterator[tuple[bytes, Any]]:
        """Heads and contents of the next so many."""
        for _ in range(count):
            head = self._until(lambda read: read.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in read else 0)
            length = _LENGTH.search(head)
            assert length, head
            wanted = int(length[1])
            content = self._until(lambda read, wanted=wanted: wanted if len(read) >= wanted else 0) if wanted else b""
            assert head.split(b" ", 2)[1] in {b"200", b"201"}, head + content
            yield head, json.loads(content)

    def _until(self, whole: Any) -> bytes:
        while not (end := whole(self._read)):
            more = self._socket.recv(1 << 16)
            if not more:
                raise ConnectionResetError("the connection was closed")
            self._read += more
        found, self._read = self._read[:end], self._read[end:]
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.send([request(method, path, body)])
        return next(self.answers(1))[1]

    def process(self) -> bytes:
        """The worker at the other end: the ids of its requests begin alike."""
        self.send([request("GET", "/health")])
        found = _REQUEST.search(next(self.answers(1))[0])
        assert found
        return found[1]


@contextlib.contextmanager
def two_lines(urls: list[str]) -> Iterator[list[Line]]:
    """To two processes."""
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(contextlib.closing(Line(urls[0])))
        its = one.process()
        for _ in range(1000):
            two = Line(urls[-1])
            if two.process() != its:
                break
            two.close()
        else:
            raise AssertionError("every connection came to the same worker")
        yield [one, stack.enter_context(contextlib.closing(two))]


@contextlib.contextmanager
def services(folder: Path, nodes: int, **settings: Any) -> Iterator[list[str]]:
    """Their URLs: one service of two workers, or nodes of one worker each, over one database."""
    started = []
    try:
        for node in range(nodes):
            database = f"sqlite:///{folder / 'ehc.db'}"
            more = {"database": database, "workers": 3 - nodes, "issue_profile": "A", "node": node} | settings
            pause = {"validity_seconds": 3600, "body_seconds": 600, "idle_seconds": 600}  # a machine may stop all of us
            started.append(start_service(settings_of(folder / f"home-{node}", caller_rate=1_000_000, **pause, **more)))
        yield [url for _, url in started]
    finally:
        for process, _ in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@dataclass
class Races:
    """How many codes, and who won them. cut: blocks without all answers, which count for nothing: after a pause the
    service closes idle connections."""

    one: int = 0
    two: int = 0
    cut: int = 0
    card: str = ""

    def block(self, lines: list[Line], codes: int, number: int) -> None:
        """Prepared, raced, and each won once."""
        lines[number % 2].send([request("POST", "/v1/codes", {"card_id": self.card, "kind": "dynamic"})] * codes)
        payloads = [code["payload"] for _, code in lines[number % 2].answers(codes)]
        assert len(set(payloads)) == codes
        for turn in (number // 2 % 2, 1 - number // 2 % 2):
            lines[turn].send([showing(payload, f"t-{turn}") for payload in payloads])
        told = [[answer for _, answer in line.answers(codes)] for line in lines]
        for found in zip(*told, strict=True):
            assert {answer["reason"] for answer in found} == {"accepted", "replayed"}, found
            assert sum(answer["accepted"] for answer in found) == 1, found
        won = sum(answer["accepted"] for answer in told[0])
        self.one, self.two = self.one + won, self.two + codes - won

    def run(self, urls: list[str], codes: int) -> Iterator[None]:
        """A block a time, until so many codes were raced for."""
        while self.one + self.two < codes:
            try:
                with two_lines(urls) as lines:
                    yield from self._over(lines, codes)
            except ConnectionError:
                self.cut += 1

    def _over(self, lines: list[Line], codes: int) -> Iterator[None]:
        self.card = lines[0].ask("POST", "/v1/cards", SAMPLE)["card_id"]
        number = 0
        while (left := codes - self.one - self.two) > 0:
            self.block(lines, min(BLOCK, left), number)
            number += 1
            yield


def campaign(way: str, folder: Path, races: Races, codes: int) -> Iterator[None]:
    """races: goes on from what it says."""
    folder.mkdir(parents=True)
    nodes = WAYS[way]
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(servers.redis(folder / "redis", appendfsync="everysec")).url if nodes == 2 else ""
        yield from races.run(stack.enter_context(services(folder, nodes, redis=url)), codes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=1_000_000, help="of each way")
    parser.add_argument("--state", type=Path, help="a file: what was raced, to go on from")
    options = parser.parse_args()
    done = {way: Races(*read_state(options.state).get(way, [0, 0])) for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        for number, (way, races) in enumerate(done.items()):
            begun, before = time.monotonic(), races.one + races.two
            with contextlib.suppress(KeyboardInterrupt):
                for _ in campaign(way, Path(name) / str(number), races, options.codes):
                    write_state(options.state, {its: [one.one, one.two] for its, one in done.items()})
            raced, seconds = races.one + races.two, time.monotonic() - begun
            print(
                f"HTTP, {way}: {raced:,} codes ({raced - before:,} now, in {seconds:.0f} s), each won once: "
                f"{races.one:,} by one, {races.two:,} by the other; {races.cut} blocks cut off",
                flush=True,
            )


if __name__ == "__main__":
    main()
