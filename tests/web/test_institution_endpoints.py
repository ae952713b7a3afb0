"""Institutions, uses and statistics over the app; conftest.py checks the schema of every answer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from ehc.access.caller import digest_of, key_of, new_caller
from ehc.institutions.place import Terminal
from ehc.model import CST
from ehc.web import terminals

NOW = 1_767_225_600
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
HOSPITAL = {"code": "H-1", "name": "测试医院", "region": "510104", "kind": "A100"}
ONE = "/v1/institutions/H-1"
EVERYTHING = ("institutions:read", "institutions:write", "records:write", "statistics:read", "verify")


@pytest.fixture
def hospital(service: Any) -> Any:
    service.register()
    made = [
        service.post("/v1/institutions", HOSPITAL),
        service.post("/v1/institutions", {**HOSPITAL, "code": "H-2", "region": "110101"}),
        service.post(f"{ONE}/departments", {"code": "d1", "name": "内科"}),
        service.post(f"{ONE}/terminals", {"code": "t1", "channel": "01", "department": "d1"}),
    ]
    assert [answer.status_code for answer in made] == [201] * 4
    return service


def shown(at: int) -> str:
    return datetime.fromtimestamp(at, CST).isoformat()


def use(record_id: str = "r1", at: int = NOW, **changes: Any) -> dict[str, Any]:
    made = {"record_id": record_id, "used_at": shown(at), "scene": "010101", "outcome": "served", "card_id": CARD}
    return made | changes


def caller(service: Any, name: str, institution: str | None, *scopes: str, rate: int | None = None) -> dict[str, str]:
    key = key_of(name.encode().ljust(32, b"."))
    made = new_caller(name, scopes or EVERYTHING, institution, rate)
    service.services.callers.add(made, digest_of(key), service.clock.now)
    service.app.worker.gate.doors.until -= 10
    return {"authorization": f"Bearer {key}", "x-forwarded-for": "192.0.2.9"}


def count(service: Any, **query: str) -> list[dict[str, Any]]:
    times = {"since": shown(NOW - 48 * 3600), "until": shown(NOW + 3600)}
    answer = service.get("/v1/statistics", params=times | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["counts"])


def test_an_institution_is_registered_shown_changed_and_disabled(hospital: Any) -> None:
    expected = {**HOSPITAL, "registered_at": "2026-01-01T08:00:00+08:00", "disabled_at": None}
    assert hospital.get(ONE).json() == expected
    changed = hospital.request("PATCH", ONE, json={"name": "新医院", "enabled": False}).json()
    assert changed == expected | {"name": "新医院", "disabled_at": "2026-01-01T08:00:00+08:00"}
    assert hospital.request("PATCH", ONE, json={"enabled": True}).json()["disabled_at"] is None
    assert hospital.request("PATCH", ONE, json={}).json() == expected | {"name": "新医院"}
    assert hospital.post("/v1/institutions", HOSPITAL).status_code == 409
    assert hospital.request("PATCH", ONE, json={"region": "990000"}).status_code == 422
    assert hospital.get("/v1/institutions/H-9").status_code == 404
    assert hospital.get("/v1/institutions/%00").status_code == 404


def test_lists_come_in_pages(hospital: Any) -> None:
    first = hospital.get("/v1/institutions", params={"limit": 1}).json()
    assert ([one["code"] for one in first["institutions"]], first["next"]) == (["H-1"], "H-1")
    rest = hospital.get("/v1/institutions", params={"after": first["next"], "limit": 2}).json()
    assert ([one["code"] for one in rest["institutions"]], rest["next"]) == (["H-2"], None)
    inside = hospital.get("/v1/institutions", params={"region": "11"}).json()
    assert [one["code"] for one in inside["institutions"]] == ["H-2"]
    for wrong in ({"limit": 0}, {"limit": 501}, {"region": "1"}, {"after": "\0"}, {"page": 1}):
        assert hospital.get("/v1/institutions", params=wrong).status_code == 422
    assert hospital.get(f"{ONE}/departments").json()["departments"][0]["name"] == "内科"
    assert hospital.get("/v1/institutions/H-9/terminals").status_code == 404


def test_parts_are_changed(hospital: Any) -> None:
    ward = hospital.request("PATCH", f"{ONE}/departments/d1", json={"name": "外科", "enabled": False}).json()
    assert (ward["name"], ward["disabled_at"]) == ("外科", "2026-01-01T08:00:00+08:00")
    desk = hospital.request("PATCH", f"{ONE}/terminals/t1", json={"department": None, "channel": "02"}).json()
    assert (desk["department"], desk["channel"], desk["disabled_at"]) == (None, "02", None)
    assert hospital.request("PATCH", f"{ONE}/terminals/t2", json={"enabled": False}).status_code == 404
    assert hospital.post(f"{ONE}/terminals", {"code": "t2", "channel": "03"}).status_code == 422
    assert hospital.post(f"{ONE}/terminals", {"code": "t1", "channel": "01"}).status_code == 409
    assert hospital.request("PATCH", f"{ONE}/departments/d1", json={"name": None}).status_code == 422


def test_a_single_use_is_kept_known_again_or_refused_as_a_problem(hospital: Any) -> None:
    def upload(**changes: Any) -> Any:
        return hospital.post("/v1/records", use(institution="H-1", **changes))

    assert upload().json() == {"record_id": "r1", "ruling": "kept", "detail": ""}
    assert (upload().status_code, upload().json()["ruling"]) == (200, "duplicate")
    assert upload(outcome="failed").status_code == 409
    late = upload(record_id="r2", at=NOW - 8 * 86_400)
    assert (late.status_code, "too_late" in late.json()["detail"]) == (422, True)
    assert hospital.post("/v1/records", use("r3")).status_code == 422  # whose it is was not said
    assert hospital.post("/v1/records", use("r3", institution="H-9")).status_code == 404
    assert count(hospital) == [{"count": 1}]


def test_a_batch_has_a_ruling_a_row_and_statistics_count_what_was_kept(hospital: Any) -> None:
    rows = [
        use("r1", department="d1", terminal="t1"),
        use("r2", NOW - 86_400, outcome="refused"),
        use("r3", NOW - 9 * 86_400),
        use("r1", department="d1", terminal="t1"),
        use("r4", card_id="AB" * 32),
        use("r5", scene="x"),
        use("r6", scene="010105"),
    ]
    answer = hospital.post("/v1/records/batch", {"institution": "H-1", "records": rows}).json()
    found = [row["ruling"] for row in answer["records"]]
    assert found == ["kept", "kept", "too_late", "duplicate", "unknown_card", "invalid", "kept"]
    assert (answer["kept"], answer["refused"]) == (3, 3)
    hospital.post("/v1/records/batch", {"institution": "H-2", "records": [use("r1")]})
    assert count(hospital, by="province,scene") == [
        {"province": "11", "scene": "010101", "count": 1},
        {"province": "51", "scene": "010101", "count": 2},
        {"province": "51", "scene": "010105", "count": 1},
    ]
    assert count(hospital, by="day,outcome", institution="H-1") == [
        {"day": "2025-12-31T00:00:00+08:00", "outcome": "refused", "count": 1},
        {"day": "2026-01-01T00:00:00+08:00", "outcome": "served", "count": 2},
    ]
    assert count(hospital, by="hour", region="11") == [{"hour": "2026-01-01T08:00:00+08:00", "count": 1}]


def test_a_batch_has_at_most_500_rows_and_at_least_one(hospital: Any) -> None:
    rows = [use(f"r{number}") for number in range(501)]
    assert hospital.post("/v1/records/batch", {"institution": "H-1", "records": rows}).status_code == 422
    assert hospital.post("/v1/records/batch", {"institution": "H-1", "records": []}).status_code == 422
    answer = hospital.post("/v1/records/batch", {"institution": "H-1", "records": rows[:500]}).json()
    assert (answer["kept"], answer["refused"]) == (500, 0)
    assert count(hospital) == [{"count": 500}]


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-01-01T08:00:00"},
        {"since": "2026-01-01T08:00:01+08:00"},
        {"until": "2020-01-01T08:00:00+08:00"},
        {"by": "person"},
        {"region": "5"},
        {"scene": "1"},
        {"institution": "a b"},
    ],
)
def test_a_question_that_is_not_answered_is_refused(hospital: Any, query: dict[str, str]) -> None:
    times = {"since": shown(NOW - 3600), "until": shown(NOW)}
    assert hospital.get("/v1/statistics", params=times | query).status_code == 422


def test_an_institution_s_caller_speaks_for_it_alone(hospital: Any) -> None:
    own, authority = caller(hospital, "desk", "H-1"), caller(hospital, "authority", None)
    rows = {"records": [use("r1")]}
    assert hospital.post("/v1/records/batch", rows, headers=own).json()["kept"] == 1
    for institution in ("H-1", "H-2"):
        path, mine = f"/v1/institutions/{institution}", institution == "H-1"
        named = {"institution": institution}
        times = {"since": shown(NOW), "until": shown(NOW + 3600)}
        answers = [
            hospital.post("/v1/records", use("r2") | named, headers=own),
            hospital.post("/v1/records/batch", rows | named, headers=own),
            hospital.get("/v1/statistics", params=times | named, headers=own),
            hospital.get(path, headers=own),
            hospital.get(f"{path}/departments", headers=own),
            hospital.get(f"{path}/terminals", headers=own),
            hospital.post(f"{path}/departments", {"code": "d2", "name": "外科"}, headers=own),
            hospital.post(f"{path}/terminals", {"code": "t2", "channel": "01"}, headers=own),
            hospital.request("PATCH", f"{path}/departments/d1", json={}, headers=own),
            hospital.request("PATCH", f"{path}/terminals/t1", json={}, headers=own),
        ]
        assert [answer.is_success for answer in answers] == [mine] * len(answers)
        assert {answer.status_code for answer in answers} <= ({200, 201} if mine else {403})
        assert hospital.request("PATCH", path, json={"enabled": True}, headers=own).status_code == 403
        assert hospital.request("PATCH", path, json={"enabled": True}, headers=authority).status_code == 200
    assert hospital.post("/v1/institutions", {**HOSPITAL, "code": "H-3"}, headers=own).status_code == 403
    listed = hospital.get("/v1/institutions", headers=own).json()["institutions"]
    assert [one["code"] for one in listed] == ["H-1"]
    hospital.post("/v1/records", use("r1", institution="H-2"), headers=authority)
    counts = hospital.get("/v1/statistics", params=times | {"by": "institution"}, headers=own).json()["counts"]
    assert counts == [{"institution": "H-1", "count": 2}]


def test_a_batch_costs_its_caller_s_rate_what_it_is(hospital: Any) -> None:
    headers = caller(hospital, "app", None, "records:write", rate=1)
    rows = [use(f"r{number}") for number in range(480)]

    def upload(count: int) -> Any:
        return hospital.post("/v1/records/batch", {"institution": "H-1", "records": rows[:count]}, headers=headers)

    assert [upload(1).status_code, upload(480).status_code] == [200, 200]
    refused = upload(1)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 10  # 480 rows are the work of 31 requests


def test_a_terminal_that_verifies_was_seen_with_its_clock(hospital: Any) -> None:
    code = hospital.code(CARD)["payload"]
    place = {"payload": code, "scene": "010101", "institution": "H-1", "terminal": "t1"}

    def seen() -> dict[str, Any]:
        terminals.write(hospital.services)
        (found,) = hospital.get(f"{ONE}/terminals").json()["terminals"]
        return dict(found)

    assert (seen()["last_seen"], seen()["clock_drift"]) == (None, None)
    hospital.post("/v1/verify", place, headers={"x-client-time": str(NOW - 90)})
    assert (seen()["last_seen"], seen()["clock_drift"]) == (shown(NOW), -90)
    hospital.clock.now += 60
    hospital.post("/v1/verify", place)
    hospital.post("/v1/verify", place | {"terminal": "t9"})
    assert (seen()["last_seen"], seen()["clock_drift"]) == (shown(NOW + 60), -90)


def test_what_was_seen_is_written_when_the_worker_ends(make_service: Callable[..., Any]) -> None:
    service = make_service()
    service.post("/v1/institutions", HOSPITAL)
    service.post(f"{ONE}/terminals", {"code": "t1", "channel": "01"})
    service.post("/v1/verify", {"payload": "x", "scene": "010101", "institution": "H-1", "terminal": "t1"})
    service.app.worker.close()
    found = make_service().services.register.find(Terminal, "H-1", "t1")
    assert (found.last_seen, found.clock_drift) == (NOW, None)


def test_the_log_counts_refused_rows_and_names_nobody(hospital: Any) -> None:
    rows = [use("r1", NOW - 9 * 86_400), use("r2", scene=CARD), use("r3")]
    hospital.post("/v1/records/batch", {"institution": "H-1", "records": rows})
    (line,) = [line for line in hospital.log_lines() if line["event"] == "records_refused"]
    assert (line["institution"], line["rulings"]) == ("H-1", {"too_late": 1, "invalid": 1})
    assert CARD not in hospital.log.getvalue()


def at_terminal(service: Any, terminal: str, **headers: Any) -> Any:
    code = service.code(CARD)["payload"]
    body = {"payload": code, "scene": "010105", "institution": "H-1", "terminal": terminal}
    return service.post("/v1/verify", body, **headers).json()


def a_second_later(service: Any) -> None:
    service.app.worker.gate.doors.until -= 10


def test_a_disabled_terminal_takes_no_codes_until_it_is_enabled_again(hospital: Any) -> None:
    assert at_terminal(hospital, "t1")["accepted"]
    hospital.clock.now += 1
    hospital.request("PATCH", f"{ONE}/terminals/t1", json={"enabled": False})
    a_second_later(hospital)
    found = at_terminal(hospital, "t1")
    assert (found["step"], found["reason"], found["name"]) == (7, "place", None)
    assert at_terminal(hospital, "t2")["accepted"]
    hospital.request("PATCH", f"{ONE}/terminals/t1", json={"enabled": True})
    a_second_later(hospital)
    hospital.clock.now += 1
    assert at_terminal(hospital, "t1")["accepted"]


def test_a_disabled_institution_takes_no_codes_anywhere(hospital: Any) -> None:
    hospital.request("PATCH", ONE, json={"enabled": False})
    a_second_later(hospital)
    for terminal in ("t1", "t9"):
        assert at_terminal(hospital, terminal)["reason"] == "place"


def test_no_verification_asks_the_store_of_places(hospital: Any, with_services: Callable[..., Any]) -> None:
    class Silent:
        def changes(self) -> int:
            return 0

        def disabled(self) -> list[tuple[str, str]]:
            return [("H-1", "t9")]

    quiet = with_services(hospital, places=Silent())
    assert at_terminal(quiet, "t1")["accepted"]
    assert at_terminal(quiet, "t9")["reason"] == "place"
