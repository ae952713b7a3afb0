"""Who is let in: every endpoint with every scope, keys that end, rates, purposes, and what is recorded."""

import asyncio
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from ehc.access.caller import Scope, digest_of, key_of, new_caller
from ehc.access.rate import Rates
from ehc.errors import Unavailable
from ehc.web import endpoint, gate, routes, starlette_routes
from ehc.web.endpoint import Call, Endpoint
from ehc.web.reply import Reply

GUARDED = [row for row in routes.TABLE if row.scope is not None]
FOR_EVERYBODY = [row for row in routes.TABLE if row.scope is None and not row.signed]
PURPOSE = {"x-purpose": "a test"}


AFAR = {"x-forwarded-for": "192.0.2.9"}


def bearer(service: Any, name: str, *scopes: str, **details: Any) -> dict[str, str]:
    """Registers a caller; the header with its key."""
    key = key_of(name.encode().ljust(32, b"."))
    service.services.callers.add(new_caller(name, scopes, **details), digest_of(key), service.clock.now)
    later(service)
    return {"authorization": f"Bearer {key}"}


def later(service: Any) -> None:
    """As if what the gate knows were too old."""
    service.app.worker.gate.doors.until -= 10


def problem_of(answer: Any) -> tuple[str, str]:
    """Its type and detail; on FHIR's paths they stand in an OperationOutcome."""
    told = answer.json()
    if told.get("resourceType") != "OperationOutcome":
        return told["type"], told["detail"]
    [issue] = told["issue"]
    [coding] = issue["details"]["coding"]
    return f"{coding['system']}:{coding['code']}", issue["diagnostics"]


def ask(service: Any, row: Endpoint, headers: dict[str, str]) -> Any:
    path = re.sub(r"\{\w+\}", "AB" * 32, row.path)
    headers = AFAR | headers
    content = {"content": b"{}", "headers": {"content-type": "application/json", **headers}}
    return service.request(row.method, path, **(content if row.body else {"headers": headers}))


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: row.operation)
def test_every_endpoint_lets_in_its_scope_and_no_other(service: Any, row: Endpoint) -> None:
    keys = {scope: bearer(service, scope.name, scope) for scope in Scope}
    for scope, headers in keys.items():
        answer = ask(service, row, headers | PURPOSE)
        if scope is row.scope:
            assert answer.status_code not in (401, 403, 429), answer.text
        else:
            assert answer.status_code == 403
            kind, detail = problem_of(answer)
            assert kind == "urn:ehc:problem:forbidden"
            assert row.scope.value in detail
    all_others = bearer(service, "all-others", *(set(Scope) - {row.scope}))
    assert ask(service, row, all_others | PURPOSE).status_code == 403


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: row.operation)
def test_nobody_is_let_in_without_a_key_that_is_known(service: Any, row: Endpoint) -> None:
    bearer(service, "somebody", *Scope)
    keys = ["", "Bearer", "Bearer ", "Basic YTpi", f"Bearer {key_of(bytes(32))}", "Bearer 电".encode(), "x" * 8000]
    for key in keys:
        answer = ask(service, row, PURPOSE | ({"authorization": key} if key else {}))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="ehc"'
        assert problem_of(answer)[0] == "urn:ehc:problem:unauthenticated"


@pytest.mark.parametrize("row", FOR_EVERYBODY, ids=lambda row: row.operation)
def test_what_is_for_everybody_asks_nobody(service: Any, row: Endpoint) -> None:
    bearer(service, "somebody", "verify")
    assert ask(service, row, {}).is_success


def test_only_these_are_for_everybody() -> None:
    assert {row.operation for row in FOR_EVERYBODY} == {
        "tell_time",
        "health",
        "ready",
        "show_authority",
        "show_capabilities",
    }


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: row.operation)
def test_without_any_caller_this_machine_alone_is_served(make_service: Callable[..., Any], row: Endpoint) -> None:
    assert ask(make_service(), row, PURPOSE).status_code not in (401, 403)
    assert ask(make_service(host="192.0.2.7"), row, PURPOSE).status_code == 401


SHOW = "/v1/cards/" + "AB" * 32


def status(service: Any, headers: dict[str, str]) -> int:
    return int(service.get(SHOW, headers=headers).status_code)


def test_revoking_the_last_caller_does_not_open_the_service(service: Any) -> None:
    headers = bearer(service, "app", "accounts:read")
    assert status(service, headers) == 404
    service.services.callers.revoke("app", service.clock.now)
    later(service)
    assert status(service, headers) == status(service, {}) == 401


def test_a_replaced_key_is_accepted_until_it_ends(service: Any) -> None:
    old = bearer(service, "app", "accounts:read")
    new = key_of(bytes(32))
    service.services.callers.rotate("app", digest_of(new), service.clock.now, service.clock.now + 60)
    later(service)
    new_headers = {"authorization": f"bearer {new}"}
    assert status(service, old) == status(service, new_headers) == 404
    service.clock.now += 60
    assert status(service, old) == 401
    assert status(service, new_headers) == 404


def test_a_revoked_key_is_refused_within_a_second(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = bearer(service, "app", "accounts:read")
    now = 1000.0
    monkeypatch.setattr(service.app.worker.gate, "_monotonic", lambda: now)
    later(service)
    assert status(service, headers) == 404
    service.services.callers.revoke("app", service.clock.now)
    now += gate.MAX_AGE
    assert status(service, headers) == 404  # what was known is still young enough
    now += 0.001
    assert status(service, headers) == 401


def test_a_store_that_does_not_answer_lets_nobody_in(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = bearer(service, "app", "accounts:read")
    assert status(service, headers) == 404

    def gone() -> int:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(type(service.services.callers), "version", lambda _: gone())
    assert status(service, headers) == 404
    later(service)
    assert status(service, headers) == status(service, {}) == 503
    assert service.get("/health").is_success


def test_a_process_that_was_stopped_does_not_take_its_store_for_slow(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks once more after the pause, which was longer than a store may take."""
    the_gate, answered, stopped = service.app.worker.gate, service.services.callers.version(), threading.Event()
    monkeypatch.setattr(gate, "STORE_SECONDS", 1.5)

    def slow() -> int:
        stopped.wait()
        return answered

    async def refresh() -> None:
        waiting = asyncio.ensure_future(the_gate.refresh())
        await asyncio.sleep(0.05)
        time.sleep(1.6)
        stopped.set()
        await waiting

    monkeypatch.setattr(the_gate._callers.__class__, "version", lambda _: slow())
    anyio.run(refresh)


def test_a_caller_over_its_rate_is_told_when_to_come_again(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, other = bearer(service, "slow", "accounts:read", rate=1), bearer(service, "other", "accounts:read", rate=1)
    now = 1000.0
    monkeypatch.setattr(service.app.worker.gate, "_monotonic", lambda: now)
    later(service)
    answers = [service.get(SHOW, headers=slow) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 429, 429]  # burst_seconds = 2
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["type"] == "urn:ehc:problem:too-many"
    assert status(service, other) == 404
    now += 1
    assert [status(service, slow), status(service, slow)] == [404, 429]


def test_callers_of_one_institution_share_its_rate(make_service: Callable[..., Any]) -> None:
    service = make_service(institution_rate=1, burst_seconds=3)
    one, two = (bearer(service, name, "accounts:read", institution="H-1") for name in ("one", "two"))
    service.app.worker.gate._monotonic = lambda: 1000.0
    assert [status(service, one), status(service, two), status(service, one)] == [404] * 3
    assert [status(service, one), status(service, two)] == [429] * 2


def test_a_refresh_does_not_fill_a_bucket(service: Any) -> None:
    slow = bearer(service, "slow", "accounts:read", rate=1)
    service.app.worker.gate._monotonic = lambda: 1000.0
    assert [status(service, slow), status(service, slow)] == [404] * 2
    bearer(service, "another", "verify")
    assert status(service, slow) == 429


async def show_plain(call: Call) -> Reply:
    await call.look(7)
    return Reply(b"{}")


async def show_without_a_look(_call: Call) -> Reply:
    return Reply(b'{"name":"plain"}')


async def do_many(call: Call) -> Reply:
    call.cost = 50
    return Reply(b"{}")


def with_endpoint(service: Any, handler: Any, scope: Scope) -> Any:
    """The service, with one more endpoint at /extra."""
    row = Endpoint(method="GET", path="/extra", handler=handler, scope=scope, summary="", answers={200: "a/b"})
    service.app.router.routes.append(starlette_routes.route(row, service.app.worker))
    return service


def test_a_look_at_plain_data_needs_a_purpose_and_is_recorded(service: Any) -> None:
    headers = bearer(service, "auditor", "accounts:plain")
    extra = with_endpoint(service, show_plain, Scope.ACCOUNTS_PLAIN)
    answer = extra.get("/extra", headers=headers)
    assert (answer.status_code, service.services.looks.looks()) == (422, [])
    assert "X-Purpose" in answer.json()["detail"]
    purpose = {"x-purpose": "%E6%8A%95%E8%AF%89 4711", "x-request-id": "r-1"}
    assert extra.get("/extra", headers=headers | purpose).is_success
    (look,) = service.services.looks.looks(7)
    assert (look.who, look.what, look.purpose, look.request_id) == ("auditor", "show_plain", "投诉 4711", "r-1")


def test_plain_data_does_not_leave_without_a_recorded_look(service: Any) -> None:
    extra = with_endpoint(service, show_without_a_look, Scope.ACCOUNTS_PLAIN)
    answer = extra.get("/extra", headers=PURPOSE)
    assert answer.status_code == 500
    assert "plain" not in answer.text


def test_a_call_pays_for_the_work_of_many(service: Any) -> None:
    headers = bearer(service, "app", "codes", rate=10)
    extra = with_endpoint(service, do_many, Scope.CODES)
    extra.app.worker.gate._monotonic = lambda: 1000.0
    assert [extra.get("/extra", headers=headers).status_code for _ in range(2)] == [200, 429]


def test_a_caller_of_an_institution_speaks_for_no_other(service: Any) -> None:
    own = Call(service.services, service.app.worker.observed, new_caller("desk", ["verify"], "H-1"))
    assert own.institution(None) == own.institution("H-1") == "H-1"
    with pytest.raises(endpoint.Forbidden, match="H-1"):
        own.institution("H-2")
    app = Call(service.services, service.app.worker.observed, new_caller("app", ["verify"]))
    assert (app.institution(None), app.institution("H-2")) == (None, "H-2")


class SlowCallers:
    """Callers whose store takes longer to say what it knows than that may be old."""

    def __init__(self, callers: Any, passed: list[float]) -> None:
        self._callers, self._passed, self._looks = callers, passed, 0

    def version(self) -> int:
        self._passed[0] += 1.5 * gate.MAX_AGE
        self._looks += 1
        assert self._looks < 4, "it is asked again and again"
        return int(self._callers.version())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callers, name)


def test_a_store_that_is_slow_to_answer_is_asked_once_by_who_comes(
    service: Any, with_services: Callable[..., Any]
) -> None:
    key = bearer(service, "desk", "verify")["authorization"]
    passed = [1000.0]
    slow = with_services(service, callers=SlowCallers(service.services.callers, passed)).services
    door = gate.Gate(slow, Rates(), monotonic=lambda: passed[0])

    async def come() -> None:
        assert (await door.admit(key, Scope.VERIFY)).name == "desk"
        await door.admission()
        assert (await door.admit(key, Scope.VERIFY)).name == "desk"

    anyio.run(come)
