"""The list for times without network: fetched, checked, kept; the last good one stays in use."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest
from servers import serving

from ehc.client import Client
from ehc.codes.offline import LABEL, SignedList
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import ConfigError, FileError, InputError, Unavailable
from ehc.reader.offline import OfflineCheck
from ehc.terminal.lists import KeptList

sys.path.insert(0, str(Path(__file__).parents[1] / "reader"))
from signed_lists import CONSULTATION, PAYMENT, PUBLIC, SIGNER, code, offline_list

NOW = 1_767_225_600
NEXT = PrivateKey(bytes(range(3, 35)))
"""A key that the issuer goes over to."""


def signed(now: int, signer: PrivateKey = SIGNER, **changes: object) -> bytes:
    text = msgspec.json.encode(offline_list(now, **changes)).decode()
    return msgspec.json.encode(SignedList(text, 1, signer.sign(LABEL + text.encode()).hex().upper()))


class Issuer:
    """A service that gives out `gives`; None: it is out of order."""

    def __init__(self) -> None:
        self.gives: bytes | None = signed(NOW)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = outer.gives
                self.send_response(200 if body else 503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with serving(made.http):
        yield made


@pytest.fixture
def client(issuer: Issuer) -> Iterator[Client]:
    issuer.gives = signed(NOW)
    with Client(f"http://127.0.0.1:{issuer.http.server_port}") as opened:
        yield opened


def test_a_list_is_fetched_and_there_after_a_restart(tmp_path: Path, client: Client) -> None:
    file = tmp_path / "list.json"
    lists = KeptList(file, [PUBLIC])
    assert lists.held is None
    assert lists.refresh(client).issued_at == NOW
    assert KeptList(file, [PUBLIC]).held == lists.held


def test_while_the_service_is_away_the_last_good_one_stays(tmp_path: Path, client: Client, issuer: Issuer) -> None:
    lists = KeptList(tmp_path / "list.json", [PUBLIC])
    lists.refresh(client)
    issuer.gives = None
    with pytest.raises(Unavailable):
        lists.refresh(client)
    assert lists.held is not None
    assert KeptList(tmp_path / "list.json", [PUBLIC]).held == lists.held


@pytest.mark.parametrize(
    ("gives", "says"),
    [
        (signed(NOW + 60, NEXT), "no key that this terminal trusts"),
        (signed(NOW - 60), "older than the one that is held"),  # somebody who plays back what was not revoked then
        (signed(NOW + 60, issuer=440200), "of issuer 440200"),
        (b'{"list": "{}", "key_version": 1, "signature": "00"}', "no key that this terminal trusts"),
    ],
)
def test_a_list_that_does_not_follow_changes_nothing(
    gives: bytes, says: str, tmp_path: Path, client: Client, issuer: Issuer
) -> None:
    lists = KeptList(tmp_path / "list.json", [PUBLIC])
    held = lists.refresh(client)
    issuer.gives = gives
    with pytest.raises(InputError, match=says):
        lists.refresh(client)
    assert lists.held == held
    assert KeptList(tmp_path / "list.json", [PUBLIC]).held == held


def test_an_issuer_goes_over_to_a_key_that_its_list_named(tmp_path: Path, client: Client, issuer: Issuer) -> None:
    file = tmp_path / "list.json"
    keys = {1: PUBLIC.hex().upper(), 2: bytes(NEXT.public_key).hex().upper()}
    lists = KeptList(file, [PUBLIC])
    issuer.gives = signed(NOW + 1, keys=keys)
    lists.refresh(client)
    issuer.gives = signed(NOW + 2, NEXT, keys=keys)
    lists.refresh(client)
    again = KeptList(file, [PUBLIC])
    assert again.held is not None
    assert again.held.issued_at == NOW + 2


def test_what_is_damaged_on_the_disk_is_laid_aside_where_another_can_be_had(tmp_path: Path, client: Client) -> None:
    file = tmp_path / "list.json"
    file.write_text("{")
    with pytest.raises(FileError, match="no offline list"):
        KeptList(file, [PUBLIC])
    said: list[str] = []
    lists = KeptList.fetched(file, [PUBLIC], said.append)
    assert lists.held is None
    assert "another one is fetched" in said[0]
    assert (tmp_path / "list.json.bad").read_text() == "{"
    assert lists.refresh(client).issued_at == NOW


def test_the_check_goes_by_the_newest_list_and_forgets_no_code() -> None:
    kept: list[str] = []
    check = OfflineCheck(None, PAYMENT, lambda: NOW, lambda payload, *_: kept.append(payload))
    with pytest.raises(Unavailable, match="no offline list yet"):
        check(code(NOW))
    check.take(offline_list(NOW))
    assert check(code(NOW)).accepted
    check.take(offline_list(NOW, aliases={}))
    assert check(code(NOW)).reason == "replayed"
    with pytest.raises(ConfigError, match="010105"):
        check.take(offline_list(NOW, scenes=[CONSULTATION]))  # codes are not taken here any more
    with pytest.raises(Unavailable, match="010105"):
        check(code(NOW, serial=2))
    assert len(kept) == 1
