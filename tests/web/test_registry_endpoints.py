"""Physical cards over the app; conftest.py checks the schema of every answer."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from physical import NOW, card, number, record
from servers import serving

from ehc.registry.card import digest_of

FIND, STATE, FEED = "/v1/physical-cards/find", "/v1/physical-cards/state", "/v1/physical-cards/feed"


def new(i: int, **changes: Any) -> dict[str, Any]:
    one = record(i)._asdict()
    return {name: one[name] for name in one if name not in ("version", "source")} | changes


def pushed(*cards: Any, registry: str = "330000") -> dict[str, Any]:
    return {"registry": registry, "cards": [one._asdict() for one in cards]}


def test_a_card_is_registered_found_and_changed(service: Any) -> None:
    made = service.post("/v1/physical-cards", new(1, state="being_made"))
    assert (made.status_code, made.json()["created"], made.json()["card_id"]) == (201, True, None)
    assert service.post("/v1/physical-cards", new(1, state="being_made")).status_code == 200
    assert service.post("/v1/physical-cards", new(1, chip="C9")).status_code == 409
    changed = service.post(STATE, {"number": number(1), "state": "normal", "reason": "handed out"}).json()
    found = service.post(FIND, {"number": number(1).lower()}).json()
    assert {name: changed[name] for name in found} == found
    assert (found["card_kind"], found["state"], found["version"], found["registry"]) == (
        "physical",
        "normal",
        2,
        "local",
    )
    assert (found["national"], found["name"], found["id_number"][1:-1]) == (False, "**" + card(1).name[-1:], "*" * 16)
    electronic = service.get(f"/v1/cards/{found['card_id']}").json()
    assert electronic["origin"] == "physical_card"
    assert service.register()["origin"] == "registration"
    of = service.get(f"/v1/cards/{found['card_id']}/physical-cards").json()
    assert of == {"physical_cards": [found]}
    events = service.post("/v1/physical-cards/history", {"number": number(1)}).json()["events"]
    assert [(e["kind"], e["state_before"], e["state_after"], e["note"]) for e in events] == [
        ("registered", None, "being_made", ""),
        ("changed", "being_made", "normal", "handed out"),
    ]


def test_bad_input_is_a_problem_and_what_is_not_there_is_not_found(service: Any) -> None:
    assert service.post(FIND, {"number": "44-1"}).status_code == 422
    assert service.post(FIND, {"number": "44"}).status_code == 404
    assert service.post("/v1/physical-cards", new(1, id_number="1")).json()["field"] == "id_number"
    assert service.post("/v1/physical-cards", new(1, number="?")).status_code == 422
    service.post("/v1/physical-cards", new(1))
    body = {"number": number(1), "state": "being_made", "reason": "a mistake"}
    assert service.post(STATE, body).status_code == 409
    assert service.post(STATE, body | {"state": "lost", "reason": "tel 13800000000"}).status_code == 422
    assert service.get(FEED, params={"after": "x1"}).status_code == 422
    for line in service.log_lines():
        assert card(1).id_number not in str(line)
        assert number(1) not in str(line)


def test_the_feed_comes_in_pages_and_every_page_is_a_recorded_look(service: Any) -> None:
    for i in range(3):
        service.post("/v1/physical-cards", new(i))
    first = service.get(FEED, params={"limit": 2}).json()
    rest = service.get(FEED, params={"limit": 2, "after": first["next"]}).json()
    assert [one["number"] for one in first["cards"] + rest["cards"]] == [number(i) for i in range(3)]
    assert (first["more"], rest["more"], first["cards"][0]["id_number"]) == (True, False, card(0).id_number)
    empty = service.get(FEED, params={"after": rest["next"]}).json()
    assert (empty["cards"], empty["next"]) == ([], rest["next"])
    looks = list(service.services.looks.looks())
    assert {(look.what, look.purpose) for look in looks} == {("feed_physical_cards", "registry synchronisation")}
    assert len(looks) == 3


def test_what_is_pushed_is_ruled_upon_row_by_row(service: Any) -> None:
    rows = [record(0), record(1, id_number="1"), record(2, state="gone"), record(0, version=2, state="lost")]
    answer = service.post(FEED, pushed(*rows)).json()
    assert answer["rulings"] == ["older", "refused", "refused", "new"]
    assert [(one["row"], one["field"]) for one in answer["refused"]] == [(1, "id_number"), (2, "state")]
    assert service.post(FEED, pushed(rows[3])).json()["rulings"] == ["same"]
    assert service.post(FEED, pushed(record(0, version=3))).json()["rulings"] == ["newer"]
    events = service.post("/v1/physical-cards/history", {"number": number(0)}).json()["events"]
    assert [(e["kind"], e["note"]) for e in events] == [("received", "registry 330000")] * 2


def test_digests_and_ranges_are_those_of_the_rows(service: Any) -> None:
    cards = [card(i, source="local") for i in range(4)]
    service.post(FEED, pushed(*(record(i, source="local") for i in range(4))))
    found = service.get("/v1/physical-cards/digest", params={"limit": 3}).json()
    own = digest_of(cards[:3])
    assert (found["cards"], found["last"], found["digest"]) == (3, number(2), own.digest.hex().upper())
    last = service.get("/v1/physical-cards/digest", params={"after": number(2)}).json()
    assert last["digest"] == digest_of(cards[3:]).digest.hex().upper()
    within = service.get("/v1/physical-cards/range", params={"after": number(0), "until": number(2)}).json()
    assert [one["number"] for one in within["cards"]] == [number(1), number(2)]


class _Answers(BaseHTTPRequestHandler):
    """A registry that answers what the test says: one that fails in every way."""

    status, body = 200, b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, type[_Answers]]]:
    kind = type("Answers", (_Answers,), {})
    with serving(HTTPServer(("127.0.0.1", 0), kind)) as server:
        yield f"http://127.0.0.1:{server.server_port}", kind


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (404, b'{"type": "urn:ehc:problem:not-found", "status": 404}', 404),
        (401, b'{"type": "urn:ehc:problem:unauthenticated", "status": 401}', 503),
        (500, b"oops", 503),
        (200, b"<html>", 503),
    ],
)
def test_a_registry_that_fails_is_never_a_card_that_is_not_there(
    make_service: Callable[..., Any], elsewhere: Any, status: int, body: bytes, problem: int
) -> None:
    url, kind = elsewhere
    kind.status, kind.body = status, body
    service = make_service(national_registry=url)
    answer = service.post(FIND, {"number": number(1)})
    assert (answer.status_code, "national" in answer.json()["detail"]) == (problem, True)
    assert service.post(FIND, {"number": number(1), "local": True}).status_code == 404


def test_where_no_registry_listens_the_answer_says_so(make_service: Callable[..., Any]) -> None:
    service = make_service(national_registry="http://127.0.0.1:9")
    answer = service.post(FIND, {"number": number(1)})
    assert answer.status_code == 503
    assert "the national one was asked in vain" in answer.json()["detail"]
    service.services.close()
    with pytest.raises(RuntimeError, match="closed"):
        service.services.national.find(number(1))


def test_an_institution_reads_and_neither_writes_nor_synchronises(service: Any) -> None:
    from test_callers import bearer

    headers = bearer(service, "h1", "registry:read", "registry:write", "registry:sync", institution="H1")
    assert service.post("/v1/physical-cards", new(1), headers=headers).status_code == 403
    assert service.get(FEED, headers=headers).status_code == 403
    assert service.post(FEED, pushed(record(1)), headers=headers).status_code == 403
    assert service.post(FIND, {"number": number(1)}, headers=headers).status_code == 404
    assert NOW
