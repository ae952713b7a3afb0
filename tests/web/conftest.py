"""The app over a real keyring and a real SQLite file. Every answer of every test is held against /openapi.json."""

import functools
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from jsonschema import Draft202012Validator
from sdk_app import publish
from starlette.applications import Starlette

from ehc.config import Settings
from ehc.keys.keyring import Keyring, Purpose
from ehc.web import openapi, routes
from ehc.web.app import create_app
from ehc.web.logs import JsonFormatter
from ehc.wiring.keys import keyring_folder
from ehc.wiring.services import Services, open_services

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
DOCUMENT = openapi.document(routes.TABLE)


@dataclass
class Clock:
    now: int = 1_767_225_600  # 2026-01-01T00:00:00Z

    def __call__(self) -> int:
        return self.now


@dataclass
class Service:
    """A client of one app."""

    services: Services
    app: Starlette
    clock: Clock
    log: io.StringIO = field(repr=False)
    run: Callable[..., Any] = anyio.run  # whose event loop; connections to Redis live in one

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.run(functools.partial(_request, self.app, method, path, options))
        check_against_document(answer)
        return answer

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return (
            self.request("POST", path, json=body, **options)
            if body is not None
            else self.request("POST", path, **options)
        )

    def register(self, **person: str) -> dict[str, Any]:
        answer = self.post("/v1/cards", SAMPLE | person)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def code(self, card_id: str, kind: str = "dynamic") -> dict[str, Any]:
        answer = self.post("/v1/codes", {"card_id": card_id, "kind": kind})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def verify(self, payload: str, scene: str = "010105") -> dict[str, Any]:
        answer = self.post("/v1/verify", {"payload": payload, "scene": scene})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


async def _request(app: Starlette, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ehc.example") as client:
        return await client.request(method, path, **options)


def check_against_document(answer: httpx.Response) -> None:
    """The document names this status and media type for this path, and the body fits its schema."""
    operation = _operation(answer.request.method, answer.request.url.path)
    media_type = answer.headers["content-type"]
    if operation is None:
        extra = ("/openapi.json", "/extra")  # itself; what a test adds
        assert answer.status_code in (404, 405) or answer.request.url.path in extra
        return
    content = operation["responses"][str(answer.status_code)]["content"]
    schema = content[media_type].get("schema")
    if schema is not None:
        Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json())


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in DOCUMENT["paths"].items():
        parts, given = template.split("/"), path.split("/")
        if len(parts) == len(given) and all(p == g or "{" in p for p, g in zip(parts, given, strict=True)):
            return operations.get(method.lower())
    return None


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the service logs, as `ehc serve` writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("ehc")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def make_service(tmp_path: Path, log: io.StringIO) -> Iterator[Callable[..., Service]]:
    """make_service(setting=value, …) -> Service; all of one test share keyring and database."""
    with Keyring() as keyring:
        keyring.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        keyring.add(Purpose.PROTECTION_KEY, bytearray.fromhex("11223344556677888877665544332211"), 0)
        keyring_folder(Settings(home=str(tmp_path))).create(keyring)
    opened: list[Services] = []

    def make(**settings: Any) -> Service:
        clock = Clock()
        services = open_services(Settings(home=str(tmp_path), **settings), clock=clock)
        opened.append(services)
        return Service(services, create_app(services), clock, log)

    yield make
    for services in opened:
        services.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    return make_service()


@pytest.fixture
def signed_service(service: Service) -> Service:
    """With the SDK of sdk_app published."""
    publish(service)
    return service


@pytest.fixture
def with_services() -> Callable[..., Service]:
    """with_services(service, clock=…) -> the same service with one of its parts replaced."""

    def change(service: Service, **parts: Any) -> Service:
        services = replace(service.services, **parts)
        return replace(service, services=services, app=create_app(services))

    return change
