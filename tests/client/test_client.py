"""The client SDK against a running service, and against ones that fail in every way that matters."""

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest
from sdk_apps import SDK, SECRET, SM2

from ehc.client import AsyncClient, BearerKey, Client, HmacKey, Sm2Key, answers, requests
from ehc.client.requests import Use
from ehc.client.retrying import Retries
from ehc.errors import TABLE, EhcError, Forbidden, InputError, NotFound, TooMany, Unauthenticated, Unavailable
from ehc.web import openapi, routes

PERSON = ("01", "11010020171225006X", "电子健康卡")
CARD_ID = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"


def keys(running: Any) -> list[Any]:
    return [HmacKey("k-hmac", SECRET), Sm2Key("k-sm2", SM2, running.authority)]


OTHER, THIRD = ("03", "E00000077", "测试"), ("03", "E00000078", "测试")


@pytest.mark.parametrize(("kind", "person"), [(0, PERSON), (1, OTHER)], ids=["hmac", "sm2"])
def test_everything_an_app_needs(running: Any, kind: int, person: tuple[str, str, str]) -> None:
    """Each with a person of its own: in the second of a revoked code, profile N has no other code of that card."""
    with Client(running.url, keys(running)[kind], sdk=SDK) as client:
        card_id = client.register(*person).card_id
        assert (card_id == CARD_ID) is (person == PERSON)
        assert client.register(*person).created is False
        assert client.find(id_type=person[0], id_number=person[1]).card_id == client.card(card_id).card_id == card_id
        code = client.dynamic_code(card_id)
        assert client.find(code=code.payload, scene="010101").card_id == card_id
        shown = client.verify(code.payload, "010105", institution="H1", terminal="T1")
        assert shown
        assert shown.name
        again = client.verify(code.payload, "010105", institution="H2", terminal="T1")
        assert (bool(again), again.reason) == (False, "replayed")
        assert client.revoke_code(client.dynamic_code(card_id).payload).card_id == card_id
        assert client.register_temporary().kind == "temporary"
        assert client.register_child(*person[:2], "测试宝宝", "2026-01-01").person == "child"
        assert abs(client.time().epoch - datetime.now(UTC).timestamp()) < 60
        assert client.authority().by_version() == running.authority


def test_uses_of_cards_are_kept_once(running: Any) -> None:
    now = datetime.now(UTC).isoformat()
    with Client(running.url, HmacKey("k-hmac", SECRET), sdk=SDK, institution="H9") as client:
        with Client(running.url, HmacKey("k-hmac", SECRET), sdk=SDK) as authority:
            authority.ask(_new_institution("H9"))
        client.register(*PERSON)
        uses = [Use(f"r-{i}", now, "010101", card_id=CARD_ID) for i in range(3)]
        assert client.add_uses(uses).kept == 3
        assert [row.ruling for row in client.add_uses(uses).records] == ["duplicate"] * 3


def test_numbers_of_one_person_across_domains_and_what_happened(running: Any) -> None:
    with Client(running.url, HmacKey("k-hmac", SECRET), sdk=SDK) as client:
        for domain, number in (("passport", "E00000077"), ("officer", "1234567")):
            placed = client.put_record(domain, number, {"passport": "E00000077"}, name="测试", birth_date="1990-01-01")
        assert (placed.outcome, placed.rule) == ("linked", "strong:passport")
        crossed = client.cross_reference(
            "urn:ehc:domain:officer", "1234567", "本人到窗口办理", ["urn:ehc:domain:passport"]
        )
        assert [one.value for one in crossed.numbers()] == ["E00000077"]
        events = client.index_events(client.consumer_offset("desk").event).events
        assert [one.record for one in events][-1] == placed.record
        assert client.commit_offset("desk", events[-1].number).event == events[-1].number
        assert client.index_events(client.consumer_offset("desk").event).events == []
        with pytest.raises(NotFound):
            client.cross_reference("urn:ehc:domain:officer", "7654321", "本人到窗口办理")


def test_visit_cards_are_bound_listed_and_taken_off(running: Any) -> None:
    """By who speaks for the institution; another one cannot."""
    key, document = HmacKey("k-hmac", SECRET), {"passport": "E00000091"}
    with Client(running.url, key, sdk=SDK) as client:
        for code in ("V1", "V2"):
            client.ask(_new_institution(code))
            client.ask(requests.Request("POST", "/v1/index/domains", dict[str, Any], _domain(code)))
            placed = client.bind_visit_card(code, f"{code}-7", "测试", document, birth_date="1990-01-01")
            assert client.bind_visit_card(code, f"{code}-7", "测试", document, birth_date="1990-01-01").record
        listed = client.visit_cards("passport", "E00000091", "本人到窗口办理")
        assert sorted(listed.visit_cards()) == [("V1", "V1-7"), ("V2", "V2-7")]
        assert client.visit_cards("passport", "E00000091", "本人到窗口办理", ["V1"]).visit_cards() == [("V1", "V1-7")]
    with Client(running.url, key, sdk=SDK, institution="V1") as other, pytest.raises(NotFound):
        other.unbind_visit_card(placed.record, "wrong window")
    with Client(running.url, key, sdk=SDK, institution="V2") as client:
        assert ("V2", "V2-7") in anyio.run(_listed, running.url)
        assert client.unbind_visit_card(placed.record, "wrong person").person != placed.person
    assert ("V2", "V2-7") not in anyio.run(_listed, running.url)


async def _listed(url: str) -> list[tuple[str, str]]:
    async with AsyncClient(url, HmacKey("k-hmac", SECRET), sdk=SDK) as client:
        return (await client.visit_cards("visit-card/V1", "V1-7", "本人到窗口办理")).visit_cards()


def _domain(institution: str) -> dict[str, str]:
    return {"code": f"visit-card/{institution}", "name": f"{institution}就诊卡", "authority": institution}


def _new_institution(code: str) -> requests.Request[Any]:
    body = {"code": code, "name": "第九医院", "region": "440100", "kind": "A100"}
    return requests.Request("POST", "/v1/institutions", dict, body)


def test_the_async_client_has_the_same_methods(running: Any) -> None:
    assert {n for n in vars(Client) if n[0] != "_"} == {n for n in vars(AsyncClient) if n[0] != "_"}

    async def ask() -> bool:
        async with AsyncClient(running.url, HmacKey("k-hmac", SECRET), sdk=SDK) as client:
            card = await client.register(*THIRD)
            code = await client.dynamic_code(card.card_id)
            return bool(await client.verify(code.payload, "010101"))

    assert anyio.run(ask)


def test_problems_are_the_errors_that_they_were(running: Any) -> None:
    with Client(running.url, HmacKey("k-hmac", SECRET), sdk=SDK) as client:
        with pytest.raises(NotFound):
            client.card("AB" * 32)
        with pytest.raises(InputError, match="id_number"):
            client.register("01", "110100201712250061", "电子健康卡")
    with Client(running.url, HmacKey("k-hmac", bytes(32)), sdk=SDK) as client, pytest.raises(Unauthenticated):
        client.card(CARD_ID)
    other = Client(running.url, HmacKey("k-hmac", SECRET), sdk="ehc-client/9.9.9/python")
    with other as client, pytest.raises(Forbidden, match="not published"):
        client.card(CARD_ID)
    with Client(running.url, BearerKey("ehc_wrong")) as client, pytest.raises(Unauthenticated):
        client.card(CARD_ID)


def test_every_problem_type_has_its_error() -> None:
    for kind, row in TABLE.items():
        document = {"type": f"urn:ehc:problem:{row.problem}", "title": "t", "status": row.http, "detail": "why"}
        transport = httpx.MockTransport(lambda _, d=document: httpx.Response(d["status"], json=d))
        with Client("http://x", transport=transport, retries=Retries(attempts=1)) as client:
            with pytest.raises(EhcError) as found:
                client.time()
            assert isinstance(found.value, kind) or kind.__name__ in ("PayloadError", "Refused")


def client_of(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> Client:
    """Over a service that is this function: it fails as no real one can be made to."""
    retries = Retries(wait=0.001, longest=0.01)
    return Client("http://x", transport=httpx.MockTransport(handler), retries=retries, **options)


CARD = answers.RegisteredCard(
    "AB", "normal", "*", "*", datetime.now(UTC), "formal", "ordinary", None, None, None, "registration", True
)


@pytest.mark.parametrize(
    ("failure", "repeatable", "sent"),
    [
        (httpx.ConnectError("no"), True, 4),
        (httpx.ConnectError("no"), False, 4),  # it never got there
        (httpx.ReadTimeout("late"), True, 4),
        (httpx.ReadTimeout("late"), False, 1),  # nobody knows what became of it
        (502, True, 4),
        (502, False, 1),
        ((503, {"retry-after": "0"}), False, 4),  # the service says that it did nothing
        ((429, {"retry-after": "0"}), False, 4),
        ((429, {"retry-after": "99"}), True, 1),  # too long to wait
        (404, True, 1),
    ],
)
def test_a_request_is_sent_again_only_where_that_is_safe(failure: Any, repeatable: bool, sent: int) -> None:
    seen = []

    def fail(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(failure, Exception):
            raise failure
        status, headers = failure if isinstance(failure, tuple) else (failure, {})
        return httpx.Response(status, headers=headers)

    with client_of(fail) as client, pytest.raises(EhcError):
        client.register(*PERSON) if repeatable else client.register_temporary()
    assert len(seen) == sent


def test_a_request_that_is_sent_again_is_signed_anew() -> None:
    nonces = []

    def fail(request: httpx.Request) -> httpx.Response:
        nonces.append(request.headers["signature-input"])
        return httpx.Response(503)

    with client_of(fail, key=HmacKey("k", SECRET), sdk=SDK) as client, pytest.raises(Unavailable):
        client.register(*PERSON)
    assert len(set(nonces)) == 4


@pytest.mark.parametrize("kind", ["unsigned", "other key", "other nonce", "other body", "other status", "replayed"])
def test_an_answer_that_the_service_did_not_sign_for_this_request_is_refused(kind: str) -> None:
    """The answer of a code, as somebody between would send it."""
    from ehc.crypto import http_signature as http
    from ehc.crypto.http_signature import Message

    first: list[httpx.Response] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if first and kind == "replayed":
            return first[0]
        asked = http.parse(request.headers["signature-input"])
        body = json.dumps({"payload": "AB:1", "kind": "static", "expires_at": None, "refresh_at": None}).encode()
        headers = {"content-type": "application/json", "content-digest": http.content_digest(body)}
        key = HmacKey("k", bytes(32) if kind == "other key" else SECRET)
        nonce = "n" * 24 if kind == "other nonce" else asked.nonce
        names, of = ("@status", *headers), {"key_id": "k", "algorithm": "hmac-sm3", "tag": http.ANSWER_TAG}
        text = http.signature_input(names, created=1, nonce=nonce, **of)
        signed = http.signature_headers(Message("", "", "", headers, 200), names, key.sign, text)
        headers |= {} if kind == "unsigned" else signed
        response = httpx.Response(
            201 if kind == "other status" else 200,
            headers=headers,
            content=b" " + body if kind == "other body" else body,
        )
        first.append(response)
        return response

    with client_of(answer, key=HmacKey("k", SECRET), sdk=SDK) as client:
        if kind == "replayed":
            assert client.static_code("AB").payload == "AB:1"
        with pytest.raises(Unavailable, match="not signed by the service"):
            client.static_code("AB")


def test_keys_show_nothing_of_themselves() -> None:
    for key in (HmacKey("k-1", SECRET), Sm2Key("k-1", SM2, {}), BearerKey("ehc_secret")):
        shown = repr(key).lower()
        assert SECRET.hex() not in shown
        assert "ehc_secret" not in shown
    with pytest.raises(InputError, match="32 bytes"):
        HmacKey("k", b"short")


def test_too_many_says_when_to_come_again() -> None:
    with (
        client_of(
            lambda _: httpx.Response(429, headers={"retry-after": "77"}, json={"type": "urn:ehc:problem:too-many"})
        ) as client,
        pytest.raises(TooMany) as found,
    ):
        client.time()
    assert found.value.retry_after == 77


KINDS = {
    "Time": answers.Time, "Card": answers.Card, "RegisteredCard": answers.RegisteredCard, "Code": answers.Code,
    "VerifyAnswer": answers.Verification, "RevokedCode": answers.RevokedCode, "UseRulings": answers.UseRulings,
    "UseRuling": answers.UseRuling, "LicenceFile": answers.LicenceFile, "SealedKey": answers.SealedKey,
    "AuthorityKeys": answers.AuthorityKeys, "Problem": answers.Problem, "PlacedRecord": answers.PlacedRecord,
    "IndexEvent": answers.IndexEvent, "IndexEvents": answers.IndexEvents, "ConsumerOffset": answers.ConsumerOffset,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_answers_are_those_of_the_service_s_document(name: str) -> None:
    documented = set(openapi.document(routes.TABLE)["components"]["schemas"][name]["properties"])
    known = set(KINDS[name].__struct_fields__)
    assert known <= documented
    assert documented - known <= {"offset"}


def test_every_request_goes_to_an_endpoint_that_there_is() -> None:
    made = [
        requests.time(), requests.register(*PERSON), requests.register_temporary(), requests.card("AB"),
        requests.register_child("01", "1", "a", "2026-01-01"), requests.find(code="x"), requests.static_code("AB"),
        requests.dynamic_code("AB"), requests.revoke_code("x"), requests.verify("x", "010101"), requests.add_uses([]),
        requests.licence(), requests.fetch_key("k"), requests.authority(), requests.put_record("s", "1"),
        requests.cross_reference("urn:x", "1", "why"), requests.index_events(), requests.consumer_offset("k"),
        requests.commit_offset("k", 1), requests.bind_visit_card("H1", "1", "n", {}),
        requests.visit_cards("passport", "1", "why", ["H1"]), requests.unbind_visit_card(1, "why"),
    ]  # fmt: skip
    names = {"{card_id}": "AB", "{key}": "k", "{consumer}": "k", "{record}": "1"}
    table = {
        (row.method, functools.reduce(lambda p, n: p.replace(*n), names.items(), row.path)) for row in routes.TABLE
    }
    assert {(one.method, one.path.partition("?")[0]) for one in made} <= table
