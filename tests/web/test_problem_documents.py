"""Every error is a problem document (RFC 9457) with a request id; the unexpected ones say nothing more."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

import pytest
from plain_cards import Cards
from starlette.datastructures import Headers

from ehc.errors import TABLE, Conflict, KeyringError, Refused
from ehc.machine.software import SoftwareMachine
from ehc.model import AccountState, Reason, Verdict
from ehc.web import problems
from ehc.web.endpoint import BODY_LIMIT

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
VERIFY = {"payload": f"{CARD}:1", "scene": "010101"}
WHOLE = b'{"payload":"x","scene":"010101"}'
JSON = {"content-type": "application/json"}


def problem(answer: Any, slug: str, status: int) -> dict[str, Any]:
    """The document, after what all of them share has been checked."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = dict(answer.json())
    assert (found["type"], found["status"], answer.status_code) == (f"urn:ehc:problem:{slug}", status, status)
    assert found["title"] == problems.TITLES[slug]
    assert found["instance"] == f"urn:ehc:request:{answer.headers['x-request-id']}"
    return found


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/cards/", "/v1/cards/a/b", "/V1/time", "/health/"])
def test_an_unknown_path(service: Any, path: str) -> None:
    assert "/openapi.json" in problem(service.get(path), "no-such-path", 404)["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/verify"), ("DELETE", "/v1/cards"), ("POST", "/v1/time")])
def test_an_unknown_method(service: Any, method: str, path: str) -> None:
    answer = service.request(method, path)
    assert answer.headers["allow"] in problem(answer, "method", 405)["detail"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", ""]
)
def test_another_media_type(service: Any, kind: str) -> None:
    problem(service.post("/v1/verify", content=b"{}", headers={"content-type": kind}), "media-type", 415)


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_may_name_its_charset(service: Any, kind: str) -> None:
    assert service.post("/v1/verify", content=WHOLE, headers={"content-type": kind}).is_success


def test_a_body_over_the_limit(service: Any) -> None:
    body = b'{"payload":"' + b"A" * BODY_LIMIT + b'","scene":"010101"}'
    problem(service.post("/v1/verify", content=body, headers=JSON), "too-large", 413)


def test_a_body_over_the_limit_that_does_not_say_its_length(service: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 1000 + 1):
            yield b" " * 1000

    answer = service.post("/v1/verify", content=chunks(), headers=JSON)
    assert "content-length" not in Headers(answer.request.headers)
    problem(answer, "too-large", 413)


def test_a_body_at_the_limit_is_read(service: Any) -> None:
    assert service.post("/v1/verify", content=WHOLE.ljust(BODY_LIMIT), headers=JSON).is_success


@pytest.mark.parametrize(
    ("body", "offset"), [(b"", None), (b"{", None), (b"{'a':1}", 1), (b'{"payload":\xb5\xe7}', 11), (WHOLE + b"x", 33)]
)
def test_a_body_that_is_not_json(service: Any, body: bytes, offset: int | None) -> None:
    found = problem(service.post("/v1/verify", content=body, headers=JSON), "malformed", 400)
    assert found.get("offset") == offset


def test_text_that_is_not_utf_8_says_at_which_byte(service: Any) -> None:
    body = '{"payload":"电","scene":"010101"}'.encode("gbk")
    found = problem(service.post("/v1/verify", content=body, headers=JSON), "malformed", 400)
    assert found["offset"] == 12


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scene": "010101"}, "payload"),
        (VERIFY | {"scene": 10101}, "scene"),
        (VERIFY | {"scene": "10101"}, "scene"),
        (VERIFY | {"scene": "010101\n"}, "scene"),
        (VERIFY | {"institution": "a b"}, "institution"),
        (VERIFY | {"colour": "red"}, "colour"),
        ([], None),
    ],
)
def test_json_of_another_shape_names_the_field(service: Any, body: Any, field: str | None) -> None:
    found = problem(service.post("/v1/verify", body), "input", 422)
    assert found.get("field") == field
    assert found["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id_type": "77"}, "id_type"),
        ({"id_number": "110100201712250060"}, "id_number"),
        ({"name": "电子\ue000卡"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_a_person_s_document_names_the_field_and_not_the_value(
    service: Any, change: dict[str, str], field: str
) -> None:
    found = problem(service.post("/v1/cards", SAMPLE | change), "identity", 422)
    assert found["field"] == field
    assert found["detail"].startswith(f"{field}: ")
    assert not any(value and value in found["detail"] for value in (SAMPLE | change).values() if len(value) > 2)


@pytest.mark.parametrize("path", ["/v1/codes", "/v1/codes/png"])
def test_an_unknown_card(service: Any, path: str) -> None:
    problem(service.post(path, {"card_id": "AB" * 32, "kind": "static"}), "not-found", 404)
    problem(service.get(f"/v1/cards/{'AB' * 32}"), "not-found", 404)
    problem(service.get("/v1/cards/nothing"), "not-found", 404)


def test_a_cancelled_card_gets_no_code(service: Any) -> None:
    service.register()
    Cards(service.services.account_store).set_state(CARD, AccountState.CANCELLED, service.clock.now)
    found = problem(service.post("/v1/codes", {"card_id": CARD, "kind": "static"}), "conflict", 409)
    assert "CANCELLED" in found["detail"]


@pytest.mark.parametrize("body", [{"card_id": "x", "kind": "static"}, {"card_id": CARD, "kind": "temporary"}])
def test_a_request_for_a_code_that_is_none(service: Any, body: dict[str, str]) -> None:
    problem(service.post("/v1/codes", body), "input", 422)


def test_a_missing_key_is_named_and_nothing_is_served(service: Any, with_services: Callable[..., Any]) -> None:
    keyless = with_services(service, keys=SoftwareMachine(None, None))
    assert "ehc keys import" in problem(keyless.get("/ready"), "key-unavailable", 503)["detail"]
    assert keyless.get("/health").is_success


def break_database(service: Any) -> None:
    with closing(sqlite3.connect(service.services.settings.home_path() / "ehc.db")) as connection, connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if not table.startswith(("sqlite_", "alembic_")):
                connection.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")


def test_a_store_that_does_not_answer(service: Any) -> None:
    break_database(service)
    found = problem(service.get(f"/v1/cards/{CARD}"), "unavailable", 503)
    assert CARD not in found["detail"]
    (line,) = [line for line in service.log_lines() if line["level"] == "error"]
    assert line["problem"] == "urn:ehc:problem:unavailable"


def test_a_schema_that_is_behind_is_not_ready(service: Any) -> None:
    with closing(sqlite3.connect(service.services.settings.home_path() / "ehc.db")) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
    assert "behind this program" in problem(service.get("/ready"), "unavailable", 503)["detail"]
    assert service.get("/health").is_success


def failing_clock() -> int:
    raise LookupError("电子健康卡 11010020171225006X")


def test_an_unexpected_error_says_nothing_and_logs_its_stack(service: Any, with_services: Callable[..., Any]) -> None:
    broken = with_services(service, clock=failing_clock)
    found = problem(broken.get("/v1/time", headers={"x-request-id": "trace-1"}), "internal", 500)
    assert set(found) == {"type", "title", "status", "instance"}
    assert found["instance"] == "urn:ehc:request:trace-1"
    (line,) = [line for line in broken.log_lines() if line["level"] == "error"]
    assert line["request_id"] == "trace-1"
    assert line["error"][0]["type"] == "LookupError"
    assert any("failing_clock" in frame for frame in line["error"][0]["stack"])
    assert "11010020171225006X" not in broken.log.getvalue()


def test_the_service_goes_on_after_an_unexpected_error(service: Any, with_services: Callable[..., Any]) -> None:
    with_services(service, clock=failing_clock).get("/v1/time")
    assert service.get("/v1/time").is_success


def test_a_request_id_is_taken_over_when_it_is_well_formed(service: Any) -> None:
    assert service.get("/health", headers={"x-request-id": "A-1._z"}).headers["x-request-id"] == "A-1._z"
    for bad in ("", "a b", "x" * 65, "电".encode()):
        assert len(service.get("/health", headers={"x-request-id": bad}).headers["x-request-id"]) == 32


def test_every_error_of_the_tree_has_a_title() -> None:
    assert {row.problem for row in TABLE.values()} <= set(problems.TITLES)


def test_a_fault_of_ours_keeps_its_detail_inside() -> None:
    assert problems.of_error(KeyringError("/secret/path")).detail is None
    assert problems.of_error(Conflict("said")).detail == "said"
    refusal = problems.of_error(Refused(Verdict(Reason.REPLAYED)))
    assert (refusal.status, refusal.type) == (403, "urn:ehc:problem:refused")
