"""Requests that are signed: who is let in, for what, how often; whatever is changed or sent again is refused."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from sdk_app import BY, SDK, SM2, add_app, grant, later, legacy, publish, sm3
from test_callers import problem_of

from ehc.access.caller import Scope
from ehc.crypto.legacy_signature import app_secret
from ehc.errors import Conflict
from ehc.sdkauth.app import AppState
from ehc.sdkauth.sdk import SdkState, parse_id
from ehc.web import routes
from ehc.web.endpoint import Endpoint

GUARDED = [row for row in routes.TABLE if row.scope is not None and not row.stream]
STREAMED = [row for row in routes.TABLE if row.scope is not None and row.stream]
PERSON = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
CARD = "/v1/cards/" + "AB" * 32


def path_of(row: Endpoint) -> str:
    return re.sub(r"\{\w+\}", "AB" * 32, row.path)


def ask(app: Any, row: Endpoint) -> Any:
    return app.ask(row.method, path_of(row), {} if row.body else None, **{"x-purpose": "a test"})


@pytest.mark.parametrize("kind", ["hmac", "sm2"])
def test_an_app_does_what_its_grant_allows_and_is_answered_signed(signed_service: Any, kind: str) -> None:
    app = add_app(signed_service, "register", "codes", "verify", kind=kind)
    made = app.ask("POST", "/v1/cards", PERSON)
    assert made.status_code == 201, made.text
    app.check_answer(made)
    code = app.ask("POST", "/v1/codes", {"card_id": made.json()["card_id"], "kind": "dynamic"})
    app.check_answer(code)
    body = {"payload": code.json()["payload"], "scene": "010105"}
    shown = app.ask("POST", "/v1/verify", body)
    assert shown.json()["accepted"]
    app.check_answer(shown)
    missing = app.ask("POST", "/v1/codes", {"card_id": "AB" * 32, "kind": "static"})
    assert missing.status_code == 404
    app.check_answer(missing)  # a problem is signed too


def test_every_endpoint_takes_its_scope_and_no_other(signed_service: Any) -> None:
    apps = {scope: add_app(signed_service, scope, name=f"app-{scope.name}") for scope in Scope}
    for row, (scope, app) in product(GUARDED, apps.items()):
        answer = ask(app, row)
        if scope is row.scope:
            assert answer.status_code not in (401, 403, 429), (row.operation, answer.text)
        else:
            assert answer.status_code == 403, row.operation
            assert f"scope {row.scope}" in problem_of(answer)[1]


def test_who_has_every_scope_but_one_is_refused_there(signed_service: Any) -> None:
    apps = {scope: add_app(signed_service, *(set(Scope) - {scope}), name=f"not-{scope.name}") for scope in Scope}
    for row in GUARDED:
        assert row.scope is not None
        assert ask(apps[row.scope], row).status_code == 403, row.operation


@pytest.mark.parametrize("row", STREAMED, ids=lambda row: row.operation)
def test_a_body_that_is_read_in_pieces_cannot_be_signed(signed_service: Any, row: Endpoint) -> None:
    app = add_app(signed_service, *Scope)
    assert app.ask(row.method, path_of(row)).status_code == 403


def status(app: Any, **extra: str) -> int:
    return int(app.ask("GET", CARD, **extra).status_code)


def test_what_no_grant_allows_is_refused(signed_service: Any) -> None:
    app = add_app(signed_service)
    assert status(app) == 403
    assert "it has none" in app.ask("GET", CARD).json()["detail"]
    for change in ({"sdk": "other"}, {"versions": "<1.0.0"}, {"begins_at": signed_service.clock.now + 9}):
        grant(signed_service, "accounts:read", **change)
        assert status(app) == 403
    number = grant(signed_service, "accounts:read")
    assert status(app) == 404
    signed_service.services.app_registry.revoke_grant("city-app", number, BY)
    later(signed_service)
    assert status(app) == 403


def test_a_grant_ends_in_its_last_second(signed_service: Any) -> None:
    app = add_app(signed_service)
    grant(signed_service, "accounts:read", ends_at=signed_service.clock.now + 60)
    signed_service.clock.now += 59
    assert status(app) == 404
    signed_service.clock.now += 1
    assert status(app) == 403


def test_a_grant_for_institutions_says_for_whom_the_app_speaks(signed_service: Any) -> None:
    app = add_app(signed_service)
    grant(signed_service, "institutions:read", institutions=["H-1", "H-2"])
    assert app.ask("GET", "/v1/institutions/H-1").status_code == 403
    assert app.ask("GET", "/v1/institutions/H-1", **{"x-institution": "H-1"}).status_code == 404
    assert app.ask("GET", "/v1/institutions/H-2", **{"x-institution": "H-1"}).status_code == 403
    assert app.ask("GET", "/v1/institutions/H-3", **{"x-institution": "H-3"}).status_code == 403


@pytest.mark.parametrize("state", [SdkState.REVOKED, SdkState.DEPRECATED])
def test_a_revoked_sdk_is_refused_and_a_deprecated_one_told(signed_service: Any, state: SdkState) -> None:
    app = add_app(signed_service, "accounts:read")
    assert "x-sdk-deprecated" not in app.ask("GET", CARD).headers
    signed_service.services.sdks.move(parse_id(SDK), state, BY)
    later(signed_service)
    answer = app.ask("GET", CARD)
    assert (answer.status_code, answer.headers.get("x-sdk-deprecated")) == (
        (403, None) if state is SdkState.REVOKED else (404, "true")
    )


@pytest.mark.parametrize("sdk", ["", "ehc-client", "ehc-client/1.4.1/python", "other/1.4.0/python"])
def test_an_sdk_that_was_never_published_is_refused(signed_service: Any, sdk: str) -> None:
    app = add_app(signed_service, "accounts:read")
    assert status(app, **{"x-sdk": sdk}) == 403


def test_who_is_suspended_or_revoked_is_refused_within_a_second(signed_service: Any) -> None:
    app, registry = add_app(signed_service, "accounts:read"), signed_service.services.app_registry
    now = 1000.0
    signed_service.app.worker.gate._monotonic = lambda: now
    later(signed_service)
    assert status(app) == 404
    registry.move("city-app", AppState.SUSPENDED, BY)
    now += 1.001
    assert status(app) == 403
    registry.move("city-app", AppState.APPROVED, BY)
    now += 1.001
    assert status(app) == 404
    signed_service.services.callers.revoke("city-app", 1)  # as a caller: it is one
    now += 1.001
    assert status(app) == 401


@pytest.mark.parametrize("revoked", [False, True])
def test_one_key_follows_the_other_without_a_pause(signed_service: Any, revoked: bool) -> None:
    app, registry = add_app(signed_service, "accounts:read", "sdk"), signed_service.services.app_registry
    registry.add_sm2_key("city-app", "k-next", bytes(SM2.public_key), BY)
    later(signed_service)
    nxt = type(app)(signed_service, "city-app", "k-next", "sm2", sent=500)
    assert (status(app), status(nxt)) == (404, 404)
    registry.end_key("city-app", app.key, signed_service.clock.now + 60, BY)
    later(signed_service)
    assert (status(app), status(nxt)) == (404, 404)
    if revoked:  # in the middle
        registry.end_key("city-app", app.key, signed_service.clock.now, BY)
        later(signed_service)
    else:
        signed_service.clock.now += 60
    assert (status(app), status(nxt)) == (401, 404)


def test_an_app_fetches_its_next_key_itself_once(signed_service: Any) -> None:
    app, registry = add_app(signed_service, "sdk", kind="sm2"), signed_service.services.app_registry
    registry.add_hmac_key("city-app", "k-hmac", b"s" * 32, bytes(12), BY)
    fetched = app.ask("POST", "/v1/sdk/keys/k-hmac/download")
    assert SM2.decrypt(bytes.fromhex(fetched.json()["sealed"])) == b"s" * 32
    assert app.ask("POST", "/v1/sdk/keys/k-hmac/download").status_code == 409


def test_a_request_serves_once(signed_service: Any) -> None:
    app = add_app(signed_service, "accounts:read")
    request = app.signed("GET", CARD)
    assert [app.send(request).status_code for _ in range(3)] == [404, 401, 401]
    signed_service.clock.now += 10
    assert "sent before" in app.send(request).json()["detail"]


@pytest.mark.parametrize("drift", [-3600, -301, 301, 3600])
def test_a_clock_that_is_wrong_is_told_by_how_much(signed_service: Any, drift: int) -> None:
    app = add_app(signed_service, "accounts:read")
    request = app.signed("GET", CARD)
    signed_service.clock.now += drift
    answer = app.send(request)
    assert answer.status_code == 401
    assert f"{-drift:+d} s off" in answer.json()["detail"]


@pytest.mark.parametrize(
    "left_out", ["@method", "@authority", "@path", "@query", "content-digest", "content-type", "x-sdk"]
)
def test_what_is_not_signed_is_named(signed_service: Any, left_out: str) -> None:
    app = add_app(signed_service, "codes")
    request = app.signed("POST", "/v1/codes", {"card_id": "AB", "kind": "static"})
    headers = request["headers"]
    headers["signature-input"] = headers["signature-input"].replace(f'"{left_out}" ', "").replace(f' "{left_out}"', "")
    answer = app.send(request)
    assert answer.status_code == 401
    assert left_out in answer.json()["detail"]


def test_a_quota_is_exact_and_says_when_it_begins_anew(signed_service: Any) -> None:
    app = add_app(signed_service)
    grant(signed_service, "accounts:read", quota=(3, "day"))
    assert [status(app) for _ in range(5)] == [404, 404, 404, 429, 429]
    assert app.ask("GET", CARD).headers["retry-after"] == str(16 * 3600)  # midnight in China
    number = grant(signed_service, "accounts:read", quota=(1, "whole"))
    assert [status(app) for _ in range(2)] == [404, 429]
    assert signed_service.services.app_registry.used(number, 0) == 1


def test_existing_sdks_sign_by_their_digests_where_the_setting_lets_them(make_service: Callable[..., Any]) -> None:
    off, service = make_service(), make_service(legacy_signing=True)
    publish(service)
    app = add_app(service, "codes")
    secret = app_secret("city-app", "fdnwxuqxk4n5esyp07")
    service.services.app_registry.add_legacy_key("city-app", "k-old", secret, bytes(12), BY)
    later(service)
    body = b'{"card_id": "ABABABAB", "kind": "static"}'
    request = legacy(app, secret, "POST", "/v1/codes", body)
    answer = app.send(request)
    assert answer.status_code == 404
    assert answer.headers["x-digest"] == sm3(answer.content + secret.encode()).hex().upper()
    assert app.send(request).status_code == 401  # once
    for change in ({"content": body.replace(b"AB", b"AC", 1)}, {"path": "/v1/codes?a=b"}):
        assert app.send(legacy(app, secret, "POST", "/v1/codes", body) | change).status_code == 401
    other = legacy(app, secret, "POST", "/v1/codes", body)
    other["headers"]["x-sdk"] = "ehc-client/1.4.1/python"
    assert app.send(other).status_code == 401
    assert type(app)(off).send(legacy(app, secret, "POST", "/v1/codes", body)).status_code == 401


def test_an_app_of_the_sandbox_meets_invented_people_alone(make_service: Callable[..., Any]) -> None:
    service = make_service(sandbox=True, national_registry="http://127.0.0.1:9")
    real = service.register()
    publish(service)
    app = add_app(service, "register", "accounts:read", "sdk", "registry:read", name="new-app", sandbox=True, report="")
    assert app.ask("GET", f"/v1/cards/{real['card_id']}").status_code == 404
    made = app.ask("POST", "/v1/cards", PERSON | {"name": "测试18"})
    assert (made.status_code, made.headers["x-sandbox"]) == (201, "true")
    assert app.ask("GET", f"/v1/cards/{made.json()['card_id']}").status_code == 200
    assert service.get(f"/v1/cards/{made.json()['card_id']}", headers=bearer(service)).status_code == 404
    assert app.ask("POST", "/v1/sdk/licence", {}).status_code == 200  # its own things are here
    assert app.ask("POST", "/v1/physical-cards/find", {"number": "44A1"}).status_code == 404  # nobody else is asked


def bearer(service: Any) -> dict[str, str]:
    from test_callers import bearer as a_bearer

    return a_bearer(service, "somebody", "accounts:read")


def test_without_a_sandbox_its_apps_are_refused(signed_service: Any) -> None:
    app = add_app(signed_service, "accounts:read", sandbox=True, report="")
    assert status(app) == 403


def test_the_debugger_shows_what_should_be_signed_and_never_a_secret(signed_service: Any) -> None:
    app = add_app(signed_service, "codes", "sdk")
    body = {"card_id": "AB", "kind": "static"}
    right = app.signed("POST", "/v1/codes", body)
    sent = {
        "method": "POST",
        "url": "http://ehc.example/v1/codes",
        "headers": right["headers"],
        "body": right["content"].decode(),
    }
    found = app.ask("POST", "/v1/sdk/debug", sent).json()
    assert [step["right"] for step in found["steps"]] == [True] * 6
    base = found["base"]
    wrong = base.replace('"@method": POST', '"@method": post')
    found = app.ask("POST", "/v1/sdk/debug", sent | {"base": wrong}).json()
    assert found["difference"] == {"line": 1, "column": 12, "ours": "POST", "theirs": "post"}
    sent["headers"] = right["headers"] | {"signature": "ehc=:AAAA:"}
    answer = app.ask("POST", "/v1/sdk/debug", sent | {"body": "x"})
    assert {s["name"]: s["right"] for s in answer.json()["steps"]} == dict.fromkeys(
        ("form", "key", "coverage", "time"), True
    ) | {"signature": False, "body": False}
    assert bytes(range(32)).hex() not in answer.text.lower()


@pytest.mark.parametrize(
    ("change", "hint"), [(lambda b: b + b"\n", "line break"), (lambda b: b.replace(b"\n", b"\r\n"), "CR LF")]
)
def test_the_debugger_names_the_usual_mistakes(signed_service: Any, change: Any, hint: str) -> None:
    app = add_app(signed_service, "sdk", "codes")
    sign = app.sign
    app.sign = lambda base: sign(change(base))
    wrong = app.signed("GET", CARD)
    app.sign = sign
    sent = {"method": "GET", "url": f"http://ehc.example{CARD}", "headers": wrong["headers"]}
    assert hint in app.ask("POST", "/v1/sdk/debug", sent).json()["hints"][0]


def test_the_registry_over_http(service: Any) -> None:
    """Registered, uploaded, published, granted, given a key and a licence, by an authority's caller."""
    release = "/v1/sdks/ehc/1.0.0/android"
    assert service.post("/v1/sdks", {"name": "ehc", "version": "1.0.0", "platform": "android"}).status_code == 201
    octets = {"content": b"x" * 3_000_000, "headers": {"content-type": "application/octet-stream"}}
    put = service.request("PUT", f"{release}/file", **octets)
    assert (put.json()["size"], put.json()["digest"]) == (3_000_000, sm3(b"x" * 3_000_000).hex().upper())
    assert service.get(f"{release}/file").status_code == 409
    for state in ("review", "published"):
        assert service.post(f"{release}/state", {"state": state, "reason": "tested"}).status_code == 200
    got = service.get(f"{release}/file")
    assert (len(got.content), got.headers["x-sdk-digest"]) == (3_000_000, put.json()["digest"])
    new = {"name": "app", "owner": "市卫健委", "package": "cn.example.a", "certificate": "AB" * 32}
    new["public_key"] = bytes(SM2.public_key).hex()
    assert service.post("/v1/apps", new).status_code == 201
    key, registry = bearer_of_authority(service), service.services.app_registry
    registry.move("app", AppState.REVIEW, BY)
    with pytest.raises(Conflict, match="no test report"):
        registry.move("app", AppState.APPROVED, BY)
    for report, answered in (("r\n1", 422), ("r-1", 200)):
        assert service.request("PATCH", "/v1/apps/app", json={"report": report}, headers=key).status_code == answered
    registry.move("app", AppState.APPROVED, BY)
    assert service.request("PATCH", "/v1/apps/app", json={"report": " "}, headers=key).status_code == 409
    allowed = {"sdk": "ehc", "scopes": ["verify"], "ends_at": "2027-01-01T00:00:00Z", "quota": {"requests": 5}}
    assert registry.find("app").usable
    assert service.post("/v1/apps/app/grants", allowed, headers=key).status_code == 201
    made = service.post("/v1/apps/app/keys", {"kind": "hmac"}, headers=key).json()
    fetched = service.post(f"/v1/apps/app/keys/{made['key']}/download", headers=key)
    assert len(SM2.decrypt(bytes.fromhex(fetched.json()["sealed"]))) == 32
    assert service.post(f"/v1/apps/app/keys/{made['key']}/download", headers=key).status_code == 409
    licence = service.post("/v1/apps/app/licences", {}, headers=key)
    assert licence.json()["licence"].startswith("EHC-LICENCE-1.")
    with pytest.raises(Conflict):
        registry.move("app", AppState.DRAFT, BY)


def bearer_of_authority(service: Any) -> dict[str, str]:
    from test_callers import bearer as a_bearer

    return a_bearer(service, "authority", "apps:write", "apps:read")
