"""Accounts over HTTP: registered without a document, found, looked at, changed, joined to families."""

from typing import Any

import pytest
from test_callers import bearer

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
SAMPLE_CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
SAMPLE_MINDEX = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
PASSPORT = {"id_type": "03", "id_number": "E00000000", "name": "TEST PERSON"}
WHY = {"reason": "a test"}
DIAGNOSIS, PAYMENT = "010102", "010105"


def ask(service: Any, method: str, card: str, path: str = "", body: Any = None, **headers: str) -> Any:
    options = {"headers": headers} | ({} if body is None else {"json": body})
    return service.request(method, f"/v1/cards/{card}{path}", **options)


def change(service: Any, card: str, what: str, body: Any = WHY) -> dict[str, Any]:
    answer = ask(service, "POST", card, f"/{what}", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def temporary(service: Any, **body: Any) -> dict[str, Any]:
    answer = service.post("/v1/cards/temporary", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def child(service: Any, **body: Any) -> Any:
    guardian = {"id_type": "01", "id_number": SAMPLE["id_number"]}
    known = {"guardian": guardian, "name": "甲乙", "birth_date": "2025-12-24"}
    return service.post("/v1/cards/child", known | body)


# --- registering


def test_somebody_without_a_document_gets_a_card_that_ends(make_service: Any) -> None:
    service = make_service(temporary_days=3)
    card = temporary(service, details={"sex": "1"})
    assert (card["kind"], card["name"], card["deadline"]) == ("temporary", "**氏", "2026-01-04T08:00:00+08:00")
    payload = service.code(card["card_id"], "static")["payload"]
    assert payload == f"{card['card_id']}:9"
    assert service.verify(payload, DIAGNOSIS)["accepted"]
    service.clock.now += 3 * 86_400 + 1
    assert service.verify(payload, DIAGNOSIS)["reason"] == "card_state"
    assert service.post("/v1/codes", {"card_id": card["card_id"], "kind": "static"}).status_code == 409


def test_a_life_beyond_the_setting_is_refused(make_service: Any) -> None:
    answer = make_service(temporary_days=3).post("/v1/cards/temporary", {"days": 4})
    assert (answer.status_code, answer.json()["detail"]) == (422, "days: 1 to 3")


def test_a_child_is_registered_once_under_its_guardian_and_listed(service: Any) -> None:
    assert child(service).status_code == 404
    service.register()
    first, again, twin = child(service), child(service), child(service, birth_order=2)
    assert [one.status_code for one in (first, again, twin)] == [201, 200, 201]
    assert (first.json()["person"], first.json()["birth_order"]) == ("child", 1)
    assert child(service, name="丙丁").status_code == 409
    assert child(service, birth_date="2025-02-29").status_code == 422
    listed = ask(service, "GET", SAMPLE_CARD, "/children").json()["cards"]
    assert [one["card_id"] for one in listed] == [one.json()["card_id"] for one in (first, twin)]


def test_a_document_under_another_name_says_to_rename(service: Any) -> None:
    service.register()
    answer = service.post("/v1/cards", SAMPLE | {"name": "另名"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ehc:problem:conflict")
    assert "rename" in answer.json()["detail"]


def test_details_come_with_the_registration_and_bad_ones_are_refused(service: Any) -> None:
    refused = service.post("/v1/cards", SAMPLE | {"details": {"sex": "男"}})
    assert (refused.status_code, refused.json()["detail"]) == (422, "sex: 0, 1, 2 or 9 (GB/T 2261.1)")
    service.register(details={"phone": "10000000000"})
    assert plain(service, card_id=SAMPLE_CARD).json()["details"] == {"phone": "10000000000"}


# --- finding


def test_a_card_is_found_masked_by_whatever_is_known_of_it(service: Any) -> None:
    service.register()
    codes = [service.code(SAMPLE_CARD)["payload"], service.code(SAMPLE_CARD, "static")["payload"]]
    known = [
        {"card_id": SAMPLE_CARD.lower()},
        {"mindex": SAMPLE_MINDEX},
        {"document": {"id_type": "01", "id_number": "11010020171225006x"}},
        *({"code": code, "scene": DIAGNOSIS} for code in codes),
    ]
    for query in known:
        answer = service.post("/v1/cards/find", query)
        assert answer.status_code == 200, answer.text
        assert answer.json() == service.get(f"/v1/cards/{SAMPLE_CARD}").json()
        assert (answer.json()["name"], answer.json()["id_number"]) == ("****卡", "1****************X")
        assert SAMPLE_MINDEX not in answer.text.upper()


def test_finding_by_a_code_claims_nothing_and_keeps_to_the_scene(service: Any) -> None:
    service.register()
    code, static = service.code(SAMPLE_CARD)["payload"], service.code(SAMPLE_CARD, "static")["payload"]
    for _ in range(2):
        assert service.post("/v1/cards/find", {"code": code, "scene": PAYMENT}).status_code == 200
    assert service.verify(code)["accepted"]
    assert service.post("/v1/cards/find", {"code": static, "scene": PAYMENT}).status_code == 404


def test_codes_that_are_not_valid_find_nobody_and_look_alike(service: Any) -> None:
    service.register()
    code = service.code(SAMPLE_CARD)["payload"]
    forged = code[:-1] + ("0" if code[-1] != "0" else "1")
    change(service, SAMPLE_CARD, "suspend")
    answers = [service.post("/v1/cards/find", {"code": one, "scene": DIAGNOSIS}) for one in (code, forged)]
    assert [one.status_code for one in answers] == [404, 404]
    assert len({one.json()["detail"] for one in answers}) == 1
    foreign = service.post("/v1/cards/find", {"code": "https://example.com/x", "scene": DIAGNOSIS})
    assert (foreign.status_code, foreign.json()["detail"].startswith("code: ")) == (422, True)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"card_id": SAMPLE_CARD, "mindex": SAMPLE_MINDEX},
        {"code": f"{SAMPLE_CARD}:1"},
        {"mindex": "xyz"},
        {"document": {"id_type": "01", "id_number": "1"}},
    ],
)
def test_a_query_that_asks_nothing_or_too_much_is_refused(service: Any, query: dict[str, Any]) -> None:
    assert service.post("/v1/cards/find", query).status_code == 422


def test_nobody_is_not_found(service: Any) -> None:
    assert service.post("/v1/cards/find", {"card_id": SAMPLE_CARD}).status_code == 404
    assert service.get("/v1/cards/" + "z" * 64).status_code == 404
    assert ask(service, "POST", SAMPLE_CARD, "/suspend", WHY).status_code == 404
    for path in ("history", "children", "family"):
        assert ask(service, "GET", SAMPLE_CARD, f"/{path}").status_code == 404


# --- plain data


def plain(service: Any, purpose: str = "complaint 12", **query: Any) -> Any:
    return service.post("/v1/cards/plain", query, headers={"x-purpose": purpose} if purpose else {})


def test_plain_data_needs_a_purpose_and_every_look_is_recorded(service: Any) -> None:
    service.register()
    assert plain(service, "", card_id=SAMPLE_CARD).status_code == 422
    assert service.services.looks.looks() == []
    shown = plain(service, card_id=SAMPLE_CARD).json()
    assert {name: shown[name] for name in SAMPLE} == SAMPLE
    assert "mindex" not in shown
    assert plain(service, document={"id_type": "03", "id_number": "E1"}).status_code == 404
    account = service.services.accounts.card(SAMPLE_CARD).account
    looks = [(look.what, look.account, look.purpose) for look in service.services.looks.looks()]
    assert looks == [("look_at_card", None, "complaint 12"), ("look_at_card", account, "complaint 12")]


# --- changes


def test_a_suspended_card_s_codes_are_refused_until_it_is_resumed(service: Any) -> None:
    service.register()
    code = service.code(SAMPLE_CARD)["payload"]
    assert service.verify(code, DIAGNOSIS)["accepted"]
    assert change(service, SAMPLE_CARD, "suspend")["state"] == "suspended"
    assert service.verify(code, DIAGNOSIS)["reason"] == "card_state"
    assert change(service, SAMPLE_CARD, "resume")["state"] == "normal"
    assert service.verify(code, DIAGNOSIS)["accepted"]
    assert change(service, SAMPLE_CARD, "cancel")["state"] == "cancelled"
    assert service.verify(code, DIAGNOSIS)["reason"] == "card_state"
    assert change(service, SAMPLE_CARD, "restore")["state"] == "normal"
    assert service.verify(code, DIAGNOSIS)["accepted"]


def test_what_the_state_does_not_allow_is_a_conflict(service: Any) -> None:
    service.register()
    for what in ("resume", "restore", "unmerge"):
        answer = ask(service, "POST", SAMPLE_CARD, f"/{what}", WHY)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:ehc:problem:conflict")


def test_a_reason_with_somebody_s_number_is_refused(service: Any) -> None:
    service.register()
    answer = ask(service, "POST", SAMPLE_CARD, "/suspend", {"reason": "is 11010020171225006X"})
    assert answer.status_code == 422
    assert "11010020171225006X" not in answer.text


def test_all_codes_of_a_card_are_revoked_and_new_ones_serve(service: Any) -> None:
    service.register()
    codes = [service.code(SAMPLE_CARD)["payload"]]
    assert service.verify(codes[0], DIAGNOSIS)["accepted"]
    change(service, SAMPLE_CARD, "revoke-codes")
    assert service.verify(codes[0], DIAGNOSIS)["reason"] == "revoked"
    service.clock.now += 1
    assert service.verify(service.code(SAMPLE_CARD)["payload"], DIAGNOSIS)["accepted"]


def test_after_another_name_old_codes_and_ids_lead_to_the_present_card(service: Any) -> None:
    service.register()
    old = service.code(SAMPLE_CARD, "static")["payload"]
    renamed = change(service, SAMPLE_CARD, "name", WHY | {"name": "测试177"})
    assert renamed["card_id"].startswith("61596F72")
    assert service.get(f"/v1/cards/{SAMPLE_CARD}").json() == renamed
    assert service.verify(old, DIAGNOSIS)["name"] == "****7"
    assert service.register()["card_id"] == renamed["card_id"]


def test_a_child_gets_its_own_document_and_is_found_by_both(service: Any) -> None:
    service.register()
    card = child(service).json()["card_id"]
    taken = ask(service, "POST", card, "/document", WHY | SAMPLE)
    assert taken.status_code == 409
    exchanged = change(service, card, "document", WHY | PASSPORT)
    assert (exchanged["person"], exchanged["name"]) == ("ordinary", "**********N")
    assert child(service).json()["card_id"] == exchanged["card_id"]
    assert service.register(**PASSPORT)["card_id"] == exchanged["card_id"]
    assert ask(service, "GET", SAMPLE_CARD, "/children").json() == {"cards": []}


def test_a_temporary_card_is_merged_and_unmerged(service: Any) -> None:
    service.register()
    card = temporary(service)["card_id"]
    code = service.code(card, "static")["payload"]
    merged = change(service, card, "merge", WHY | {"into": SAMPLE_CARD})
    assert (merged["state"], merged["merged_into"]) == ("cancelled", SAMPLE_CARD)
    assert service.get(f"/v1/cards/{card}").json() == merged
    assert service.verify(code, DIAGNOSIS)["reason"] == "card_state"
    back = change(service, card, "unmerge")
    assert (back["state"], back["merged_into"], back["kind"]) == ("normal", None, "temporary")
    assert service.verify(code, DIAGNOSIS)["accepted"]
    assert ask(service, "POST", SAMPLE_CARD, "/merge", WHY | {"into": card}).status_code == 409


def test_details_are_changed_and_deleted_by_name(service: Any) -> None:
    service.register()
    for details in ({"phone": "10000000000", "sex": "1"}, {"sex": "", "address": "某省"}):
        assert ask(service, "PATCH", SAMPLE_CARD, "/details", details).status_code == 200
    assert plain(service, card_id=SAMPLE_CARD).json()["details"] == {"phone": "10000000000", "address": "某省"}
    assert ask(service, "PATCH", SAMPLE_CARD, "/details", {}).status_code == 422
    assert ask(service, "PATCH", SAMPLE_CARD, "/details", {"shoe_size": "42"}).status_code == 422


def test_the_history_tells_who_did_what_and_why(service: Any) -> None:
    key = bearer(service, "front-desk", "register", "accounts:read", "accounts:write")
    service.post("/v1/cards", SAMPLE, headers=key)
    ask(service, "POST", SAMPLE_CARD, "/suspend", {"reason": "card lost"}, **key)
    told = ask(service, "GET", SAMPLE_CARD, "/history", **key).json()["events"]
    assert told == [
        event("registered", None, "normal", ""),
        event("suspended", "normal", "suspended", "card lost"),
    ]


def event(kind: str, before: str | None, after: str, note: str) -> dict[str, Any]:
    at = {"at": "2026-01-01T08:00:00+08:00", "by": "front-desk"}
    return at | {"event": kind, "state_before": before, "state_after": after, "note": note}


# --- families


def test_members_come_and_go(service: Any) -> None:
    service.register()
    member = service.register(**PASSPORT)["card_id"]
    path = f"/family/{member}"
    assert ask(service, "PUT", SAMPLE_CARD, path, {"relation": "5"}).status_code == 200
    (shown,) = ask(service, "GET", SAMPLE_CARD, "/family").json()["members"]
    assert (shown["card"]["card_id"], shown["relation"]) == (member, "5")
    assert ask(service, "PUT", SAMPLE_CARD, path, {"relation": "0"}).status_code == 422
    assert ask(service, "PUT", SAMPLE_CARD, f"/family/{SAMPLE_CARD}", {"relation": "1"}).status_code == 409
    assert ask(service, "PUT", SAMPLE_CARD, f"/family/{'AB' * 32}", {"relation": "1"}).status_code == 404
    assert ask(service, "DELETE", SAMPLE_CARD, path).json() == {"members": []}


def test_no_number_of_an_account_and_no_mindex_leaves(service: Any) -> None:
    service.register()
    member = service.register(**PASSPORT)["card_id"]
    ask(service, "PUT", SAMPLE_CARD, f"/family/{member}", {"relation": "5"})
    history = ask(service, "GET", SAMPLE_CARD, "/history").json()["events"]
    assert [event["note"] for event in history] == ["", "family: a member set"]
    for path in ("", "/history", "/children", "/family"):
        answer = ask(service, "GET", SAMPLE_CARD, path)
        assert '"account' not in answer.text
        assert SAMPLE_MINDEX not in answer.text.upper()
