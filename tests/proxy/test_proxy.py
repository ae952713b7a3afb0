"""`ehc proxy` as hospital software meets it: a process before a running service, which goes away and comes back."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sdk_apps import SDK, add_sdk_app
from sdk_apps import SECRET as SDK_SECRET
from services import settings_of, wait_for
from typer.testing import CliRunner

from ehc.access.app import Apps
from ehc.access.caller import new_caller
from ehc.cli.main import app
from ehc.cli.serve import start_service, stop_service
from ehc.config import Settings
from ehc.errors import ConfigError, FileError
from ehc.institutions.place import Institution
from ehc.model import CST
from ehc.store.outbox import Outbox
from ehc.wiring.keys import open_authority
from ehc.wiring.stores import open_store

SECRET = "F2D8D966CD3D47788449C19D5EF2081B"  # domain, 4: with the vector below
SEALED = "630FA60411547A471D1875A79C9A998D700BE4D3964D0CCE0B5FDDB37A823E2C"
PERSON = {"idCardTypeCode": "01", "idCode": "11010020171225006X", "name": "电子健康卡"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a service with an app of family A."""
    made = settings_of(tmp_path / "service", profiles=("do",), do_versions=("V2.0.0",), do_empi="mindex")
    sealing, _ = open_authority(made)
    store = open_store(made)
    scopes = ("register", "codes", "verify", "accounts:read", "records:write")
    Apps(store.apps, sealing).add(new_caller("his", scopes, "H1"), SECRET, bytes(12), 1)
    store.places.add(Institution("H1", "第一医院", "440100", "A100", 1), "a test")
    store.close()
    return made


@contextmanager
def proxy(folder: Path, url: str, *options: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    secret = folder / "app.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    command = [sys.executable, "-P", "-m", "ehc.cli", "proxy", "--service", url, "--port", "0"]
    command += ["--app", "his", "--secret-file", str(secret), "--queue", str(folder / "queue.db"), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate()[1])
    try:
        with httpx.Client(base_url=line.split()[-1], timeout=30) as client:
            wait_for(lambda: _answers(client))
            yield client, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/proxy/queue").is_success
    except httpx.TransportError:
        return False


def test_it_signs_and_encrypts_as_the_field_does(tmp_path: Path) -> None:
    with proxy(tmp_path, "http://127.0.0.1:9") as (client, _):
        sealed = client.post("/api/encrypt", json={"name": "你猜我加密的是什么"}).json()
        assert sealed == {"name": SEALED}
        assert client.post("/api/deciphering", json=sealed).json() == {"name": "你猜我加密的是什么"}
        signed = client.post("/api/sign", json={"body": {"b": 1, "a": "电"}}).json()
        from ehc.crypto import sm3

        assert signed == {"bodySign": sm3(('{"a":"电","b":1}' + SECRET).encode()).hex(), "signMode": "SM3"}


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/sign", {}, "head"),
        ("/api/sign", {"head": 1}, "head"),
        ("/api/encrypt", {"name": 1}, "name: a text"),
        ("/api/deciphering", {"name": "xyz"}, "name"),
        ("/api/encrypt", [], "object"),
        ("/api/do", {"body": {}}, "method"),
    ],
)
def test_what_it_cannot_use_is_named(one_proxy: httpx.Client, path: str, body: Any, says: str) -> None:
    answer = one_proxy.post(path, json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


@pytest.fixture(scope="module")
def one_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with proxy(tmp_path_factory.mktemp("proxy"), "http://127.0.0.1:9") as (client, _):
        yield client


def test_pages_of_a_browser_are_not_served(one_proxy: httpx.Client) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert one_proxy.post("/api/sign", json={"body": {}}, headers=headers).status_code == 403
    form = one_proxy.post("/api/sign", content='{"body":{}}', headers={"content-type": "text/plain"})
    assert form.status_code == 422


def test_the_service_gone_is_said_where_waiting_is_no_use(one_proxy: httpx.Client) -> None:
    answer = one_proxy.post("/api/do", json={"method": "getActiveQrCode", "body": {}})
    assert answer.status_code == 503


PAID_AT = datetime.now(CST).strftime("%Y%m%d%H%M%S")
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"


def uses(*numbers: int) -> dict[str, Any]:
    """Uses of the card at payment."""
    rows = [{"payNo": f"p-{i}", "payTime": PAID_AT, "erhcCardNo": CARD} for i in numbers]
    return {"method": "batchUploadPayInfo", "body": {"payInfos": rows}}


def test_hospital_software_speaks_plain_json_and_what_waits_survives_kill_9(settings: Settings, tmp_path: Path) -> None:
    process, url = start_service(settings)
    with proxy(tmp_path, url) as (client, front):
        new = {"method": "createVmcardQRcode", "body": PERSON | {"personnelType": "1", "appMode": "3"}}
        made = client.post("/api/do", json=new).json()
        assert (made["returnCode"], made["datas"]["erhcCardNo"]) == ("0", CARD)
        seen = client.post("/api/do", json={"method": "getPersonInfo", "body": {"erhcCardNo": CARD}}).json()
        assert "*" in seen["datas"]["name"]  # masked, and in the clear
        stop_service(process)
        queued = [client.post("/api/do", json=uses(i)) for i in range(5)]
        assert [one.status_code for one in queued] == [202] * 5
        assert client.get("/proxy/queue").json()["waiting"] == 5
        front.kill()
        front.wait()
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("queue.db*"))
    assert raw
    assert not any(text in raw for text in (b"payNo", CARD.encode()))
    process, url = start_service(settings)
    try:
        with proxy(tmp_path, url) as (client, _):
            wait_for(lambda: client.get("/proxy/queue").json()["waiting"] == 0)
            assert client.get("/proxy/queue").json() == {"waiting": 0, "refused": 0, "oldest": None}
            again = client.post("/api/do", json=uses(*range(5))).json()["datas"]["results"]
            assert [row["ruling"] for row in again] == ["duplicate"] * 5  # each had come, once
    finally:
        stop_service(process)


def test_requests_of_v1_are_signed_and_handed_on(settings: Settings, tmp_path: Path) -> None:
    add_sdk_app(settings)
    key = tmp_path / "key.hex"
    key.write_text(SDK_SECRET.hex())
    key.chmod(0o600)
    own = ["--key", "k-hmac", "--key-file", str(key), "--sdk", SDK]
    process, url = start_service(settings)
    try:
        with proxy(tmp_path, url, *own) as (client, _):
            person = {"id_type": "01", "id_number": PERSON["idCode"], "name": PERSON["name"]}
            assert client.post("/v1/cards", json=person).json()["card_id"] == CARD
            assert client.get(f"/v1/cards/{CARD}").json()["state"] == "normal"
            assert client.get("/v1/cards/" + "AB" * 32).status_code == 404
    finally:
        stop_service(process)


def test_a_queue_of_another_app_is_left_alone(tmp_path: Path) -> None:
    queue = Outbox(tmp_path / "q.db", b"one")
    assert [queue.put("/v1/records", b"{}", 1), queue.put("/v1/records", b"[]", 2)] == [1, 2]
    queue.close()
    with pytest.raises(FileError, match="another key"):
        Outbox(tmp_path / "q.db", b"other")
    again = Outbox(tmp_path / "q.db", b"one")
    first = again.first()
    assert first is not None
    assert (first.number, first.body) == (1, b"{}")
    with pytest.raises(FileError, match="another process"):
        Outbox(tmp_path / "q.db", b"one")
    again.refuse(1, "HTTP 422")
    again.done(2)
    assert again.counts() == (0, 1, None)
    again.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "192.0.2.1"], "--token-file"),
        (["--host", "nowhere"], "no IP address"),
        (["--key", "k"], "--key-file"),
        (["--service", "ehc.example"], "no URL"),
    ],
)
def test_what_is_wrong_is_said_before_it_starts(tmp_path: Path, options: list[str], says: str) -> None:
    secret = tmp_path / "s"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    words = ["proxy", "--service", "http://127.0.0.1:9", "--app", "his", "--secret-file", str(secret)]
    words += ["--queue", str(tmp_path / "q")]
    with pytest.raises(ConfigError, match=says):
        CliRunner().invoke(app, [*words, *options], catch_exceptions=False)
    secret.chmod(0o644)
    with pytest.raises(FileError, match="chmod 600"):
        CliRunner().invoke(app, words, catch_exceptions=False)
