"""What each endpoint answers; the schema of every answer is checked by the client in conftest.py."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from plain_cards import Cards

from ehc.model import AccountState

SAMPLE_CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
SAMPLE_MINDEX = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
DIAGNOSIS, PAYMENT = "010102", "010105"
Make = Callable[..., Any]


def test_registering_answers_the_published_card_id_masked(service: Any) -> None:
    answer = service.post("/v1/cards", SAMPLE)
    assert answer.status_code == 201
    assert answer.json() == {
        "card_id": SAMPLE_CARD,
        "state": "normal",
        "name": "****卡",
        "id_number": "1****************X",
        "registered_at": "2026-01-01T08:00:00+08:00",
        "kind": "formal",
        "person": "ordinary",
        "deadline": None,
        "birth_order": None,
        "merged_into": None,
        "origin": "registration",
        "created": True,
    }


def test_registering_again_answers_the_same_card(service: Any) -> None:
    first = service.register()
    service.clock.now += 10
    answer = service.post("/v1/cards", SAMPLE | {"name": " 电子健康卡 ", "id_number": "11010020171225006x"})
    assert answer.status_code == 200
    assert answer.json() == first | {"created": False}


def test_registering_restores_a_cancelled_card(service: Any) -> None:
    first = service.register()
    Cards(service.services.account_store).set_state(SAMPLE_CARD, AccountState.CANCELLED, service.clock.now)
    assert service.get(f"/v1/cards/{SAMPLE_CARD}").json()["state"] == "cancelled"
    assert service.register() == first | {"created": False}
    assert service.get(f"/v1/cards/{SAMPLE_CARD}").json()["state"] == "normal"


@pytest.mark.parametrize("card_id", [SAMPLE_CARD, SAMPLE_CARD.lower()])
def test_a_card_is_shown_masked(service: Any, card_id: str) -> None:
    first = service.register()
    del first["created"]
    assert service.get(f"/v1/cards/{card_id}").json() == first


def test_minimal_padding_gives_a_passport_a_short_card_id(make_service: Make) -> None:
    person = {"id_type": "03", "id_number": "E00000000", "name": "TEST PERSON"}
    assert make_service(padding="minimal").register(**person)["card_id"] == "837C825FE117BE7F9031F42030F7AD7F"


def test_a_static_code_has_no_times(service: Any) -> None:
    service.register()
    code = service.code(SAMPLE_CARD, "static")
    assert code == {"payload": f"{SAMPLE_CARD}:1", "kind": "static", "expires_at": None, "refresh_at": None}


def test_a_dynamic_code_says_when_it_ends_and_when_to_show_a_new_one(service: Any) -> None:
    service.register()
    code = service.code(SAMPLE_CARD)
    assert code["payload"].startswith(f"{SAMPLE_CARD}:0:")
    assert len(code["payload"]) == 99
    assert code["kind"] == "dynamic"
    assert code["expires_at"] == "2026-01-01T08:05:00+08:00"
    assert code["refresh_at"] == "2026-01-01T08:01:00+08:00"


@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_a_drawn_code_reads_back_and_is_accepted(service: Any, kind: str) -> None:
    service.register()
    answer = service.post("/v1/codes/png", {"card_id": SAMPLE_CARD, "kind": kind})
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.content)).convert("L"))
    assert service.verify(found.text, DIAGNOSIS)["accepted"]


def test_an_accepted_code_answers_the_masked_name_and_the_card(service: Any) -> None:
    service.register()
    code = service.code(SAMPLE_CARD)
    assert service.verify(code["payload"]) == {
        "accepted": True,
        "reason": "accepted",
        "step": 0,
        "detail": None,
        "scene": PAYMENT,
        "name": "****卡",
        "card_id": SAMPLE_CARD,
        "expires_at": code["expires_at"],
        "profile": "N",
        "visit": None,
        "degraded": False,
    }


def refused(reason: str, step: int | None, scene: str, detail: str) -> dict[str, Any]:
    nothing = {"name": None, "card_id": None, "expires_at": None, "profile": None, "visit": None, "degraded": False}
    return {"accepted": False, "reason": reason, "step": step, "scene": scene, "detail": detail, **nothing}


def test_every_refusal_that_an_outsider_may_know_is_named(service: Any) -> None:
    service.register()
    code = service.code(SAMPLE_CARD)["payload"]
    assert service.verify(code)["accepted"]
    found = [
        service.verify(""),
        service.verify("电子健康卡"),
        service.verify("1" * 28),
        service.verify(f"{SAMPLE_CARD}:7"),
        service.verify(f"{SAMPLE_CARD}:1"),
        service.verify(code),
    ]
    Cards(service.services.account_store).set_state(SAMPLE_CARD, AccountState.CANCELLED, service.clock.now)
    found.append(service.verify(code))
    assert [(answer["step"], answer["reason"]) for answer in found] == [
        (1, "length"),
        (1, "character"),
        (2, "foreign"),
        (2, "grammar"),
        (7, "scene"),
        (8, "replayed"),
        (6, "card_state"),
    ]
    assert all(answer["name"] is answer["card_id"] is answer["expires_at"] is None for answer in found)
    assert "医保电子凭证" in found[2]["detail"]


def look_alikes(service: Any) -> list[dict[str, Any]]:
    """Forged, not issued, expired, early, unknown: one answer each."""
    service.register()
    expired = service.code(SAMPLE_CARD)["payload"]
    service.clock.now += 1000
    early_at = service.clock.now + 10_000
    service.clock.now = early_at
    early = service.code(SAMPLE_CARD)["payload"]
    service.clock.now = early_at - 10_000
    unissued = service.services.keys.seal_validity(service.clock.now + 5)
    codes = [f"{SAMPLE_CARD}:0:{'0' * 32}", f"{SAMPLE_CARD}:0:{unissued}", expired, early, f"{'AB' * 32}:1"]
    return [service.verify(code, DIAGNOSIS) for code in codes]


def test_what_would_help_a_forger_looks_alike(service: Any) -> None:
    expected = refused("invalid", None, DIAGNOSIS, "this code is not valid: ask for a new one")
    assert look_alikes(service) == [expected] * 5


def test_a_deployment_may_have_refusals_explained(make_service: Make) -> None:
    answers = look_alikes(make_service(explain_refusals=True))
    assert [(answer["step"], answer["reason"]) for answer in answers] == [
        (4, "forged"),
        (4, "not_issued"),
        (5, "expired"),
        (5, "early"),
        (6, "unknown_card"),
    ]
    assert all(answer["detail"] and answer["name"] is None for answer in answers)


def test_the_log_names_what_the_answer_hides(service: Any) -> None:
    look_alikes(service)
    found = [(line["step"], line["reason"]) for line in service.log_lines() if line["event"] == "refused"]
    assert found == [(4, "forged"), (4, "not_issued"), (5, "expired"), (5, "early"), (6, "unknown_card")]


def test_the_place_of_a_check_is_logged(service: Any) -> None:
    service.post("/v1/verify", {"payload": "x", "scene": PAYMENT, "institution": "H-1", "terminal": "desk_3"})
    (line,) = [line for line in service.log_lines() if line["event"] == "refused"]
    assert (line["scene"], line["institution"], line["terminal"]) == (PAYMENT, "H-1", "desk_3")
    assert line["request_id"]


def test_no_person_s_data_is_logged(service: Any) -> None:
    service.register()
    code, static = service.code(SAMPLE_CARD)["payload"], service.code(SAMPLE_CARD, "static")["payload"]
    for text in (code, code, static, f"{SAMPLE_CARD}:7", code[:-1] + "G"):
        service.verify(text)
    service.get(f"/v1/cards/{SAMPLE_CARD}")
    service.get(f"/v1/{SAMPLE['id_number']}/{SAMPLE_CARD}")
    service.post("/v1/cards", SAMPLE | {"name": "电子健康卡\ue000"})
    service.post("/v1/codes", {"card_id": SAMPLE_CARD, "kind": "电子健康卡"})
    logged = service.log.getvalue()
    assert len(service.log_lines()) > 10
    for secret in (SAMPLE_CARD, SAMPLE_MINDEX, code.split(":")[2], SAMPLE["id_number"], SAMPLE["name"]):
        assert secret not in logged
        assert secret.lower() not in logged


def test_the_mindex_and_the_account_number_never_leave(service: Any) -> None:
    answers = [
        service.post("/v1/cards", SAMPLE),
        service.get(f"/v1/cards/{SAMPLE_CARD}"),
        service.post("/v1/verify", {"payload": f"{SAMPLE_CARD}:1", "scene": DIAGNOSIS}),
    ]
    for answer in answers:
        assert SAMPLE_MINDEX not in answer.text.upper()
        assert not {"account", "mindex"} & set(answer.json())


def test_the_time_is_china_standard_time(service: Any) -> None:
    assert service.get("/v1/time").json() == {"now": "2026-01-01T08:00:00+08:00", "epoch": 1_767_225_600}


def test_health_and_readiness(service: Any) -> None:
    assert service.get("/health").json() == {"status": "ok"}
    assert service.get("/ready").json() == {"status": "ready"}


def test_answers_are_not_cached(service: Any) -> None:
    assert service.get("/v1/time").headers["cache-control"] == "no-store"
