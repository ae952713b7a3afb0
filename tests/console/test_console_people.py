"""Finding people, looking at them, their cards' state and codes: masked, with a purpose, each look recorded."""

import re

import pytest
from desks import PURPOSE, SAMPLE, Browser, Desk, text_of
from httpx import Response

from ehc.access.operator import Role
from ehc.model import Identity


def search(browser: Browser, by: str, value: str, purpose: str = PURPOSE, **more: str) -> Response:
    return browser.post("/people", by=by, value=value, purpose=purpose, **more)


def looks(desk: Desk) -> list[tuple[str, str, int | None, str]]:
    return [(look.who, look.what, look.account, look.purpose) for look in desk.services.looks.looks()]


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ("document", SAMPLE.id_number),
        ("document", SAMPLE.id_number.lower()),
        ("phone", "13800138000"),
        ("phone", "+86 138 0013 8000"),
        ("phone", "138-0013-8000"),
    ],
)
def test_a_person_is_found_masked_and_the_look_is_recorded(desk: Desk, by: str, value: str) -> None:
    answer = search(desk.signed_in(Role.SECURITY), by, value)
    assert "****卡" in text_of(answer)
    assert SAMPLE.name not in text_of(answer).replace("电子健康卡管理控制台", "").replace("电子健康卡 ", "")
    assert SAMPLE.id_number not in answer.text
    assert looks(desk) == [("operator:li.na", "search", desk.card.account, PURPOSE)]


def test_a_person_is_found_by_card_id(desk: Desk) -> None:
    answer = search(desk.signed_in(Role.SECURITY), "card_id", desk.card.card_id.lower())
    assert desk.card.card_id[:32] in answer.text


def test_a_search_that_finds_nobody_is_a_look_too(desk: Desk) -> None:
    answer = search(desk.signed_in(Role.SECURITY), "document", "E99999999", id_type="03")
    assert "没有符合条件的人员" in text_of(answer)
    assert looks(desk) == [("operator:li.na", "search", None, PURPOSE)]


@pytest.mark.parametrize("purpose", ["", "x", "p" * 201, "a\x00b"])
def test_without_a_purpose_nothing_is_shown(desk: Desk, purpose: str) -> None:
    browser = desk.signed_in(Role.SECURITY)
    answer = search(browser, "phone", "13800138000", purpose)
    assert answer.status_code == 422
    assert "请用 2 至 200 个字符说明查询目的" in text_of(answer)
    assert "****卡" not in answer.text
    assert browser.post(f"/people/{desk.card.card_id}/open", purpose=purpose).status_code == 422
    assert looks(desk) == []


@pytest.mark.parametrize(
    ("by", "value"), [("document", "123"), ("document", ""), ("phone", "call me"), ("phone", ""), ("phone", "'; --")]
)
def test_what_is_no_number_is_said_to_be_none(desk: Desk, by: str, value: str) -> None:
    answer = search(desk.signed_in(Role.SECURITY), by, value)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_an_account_opens_for_one_person_and_purpose_alone(desk: Desk) -> None:
    other = desk.services.registrar.register(Identity("03", "E00000000", "TEST PERSON"), desk.clock.now).card
    assert other is not None
    browser = desk.signed_in(Role.SECURITY)
    assert "请说明查询目的" in text_of(browser.get(f"/people/{desk.card.card_id}"))
    page = browser.follow(browser.post(f"/people/{desk.card.card_id}/open", purpose=PURPOSE))
    assert PURPOSE in text_of(page)
    assert looks(desk) == [("operator:li.na", "show_person", desk.card.account, PURPOSE)]
    assert "请说明查询目的" in text_of(browser.get(f"/people/{other.card_id}"))
    assert browser.post(f"/people/{other.card_id}/state", change="cancel", reason="误点").status_code == 409
    assert browser.post(f"/people/{other.card_id}/code", kind="static").status_code == 409
    assert browser.post(f"/people/{other.card_id}/revoke", payload="x").status_code == 409
    assert desk.services.accounts.card(other.card_id).state.name == "NORMAL"
    browser.get(f"/people/{desk.card.card_id}")
    assert len(looks(desk)) == 2  # every showing is one


def test_a_card_is_suspended_resumed_cancelled_and_restored_with_reasons(desk: Desk) -> None:
    browser = desk.at_the_person()
    path = f"/people/{desk.card.card_id}/state"
    for change, state in [
        ("suspend", "SUSPENDED"),
        ("resume", "NORMAL"),
        ("cancel", "CANCELLED"),
        ("restore", "NORMAL"),
        ("revoke_codes", "NORMAL"),
    ]:
        page = browser.follow(browser.post(path, change=change, reason=f"理由 {change}"))
        assert 'role="status"' in page.text
        assert f"理由 {change}" in page.text  # in the history
        assert desk.services.accounts.card(desk.card.card_id).state.name == state
    events = desk.services.accounts.history(desk.card)[1:]
    assert [event.kind.value for event in events] == ["suspended", "resumed", "cancelled", "restored", "codes_revoked"]
    assert {event.by for event in events} == {"operator:li.na"}
    deeds = [(deed.subject, deed.account) for deed in desk.services.deeds.deeds() if deed.what == "change_state"]
    assert deeds[0] == ("revoke_codes", desk.card.account)
    assert len(deeds) == 5


def test_only_what_the_state_allows_is_offered_and_done(desk: Desk) -> None:
    browser = desk.at_the_person()
    offered = re.findall(r'name="change" value="(\w+)"', browser.get(f"/people/{desk.card.card_id}").text)
    assert offered == ["suspend", "cancel", "revoke_codes"]
    answer = browser.post(f"/people/{desk.card.card_id}/state", change="restore", reason="误操作")
    assert answer.status_code == 409
    newest = desk.services.deeds.deeds()[:2]
    assert [(deed.what, deed.subject, deed.result) for deed in newest] == [
        ("change_state", "restore", "conflict"),
        ("change_state", "restore", ""),
    ]


@pytest.mark.parametrize("reason", ["", "x", "r" * 201, "证件 110100201712250061"])
def test_a_change_without_a_fitting_reason_does_not_happen(desk: Desk, reason: str) -> None:
    answer = desk.at_the_person().post(f"/people/{desk.card.card_id}/state", change="suspend", reason=reason)
    assert answer.status_code == 422
    assert desk.services.accounts.card(desk.card.card_id).state.name == "NORMAL"


def payload_of(page: Response) -> str:
    found = re.search(r'name="payload" value="([^"]+)"', page.text)
    assert found
    return found[1]


def verified(browser: Browser, payload: str) -> str:
    answer = browser.request("POST", "/v1/verify", json={"payload": payload, "scene": "010101"})
    return str(answer.json()["reason"])


def test_an_issued_code_is_drawn_and_accepted_until_it_is_revoked(desk: Desk) -> None:
    browser = desk.at_the_person()
    page = browser.post(f"/people/{desk.card.card_id}/code", kind="dynamic")
    assert 'class="segno"' in page.text
    assert "2026-01-01 08:05:00" in text_of(page)
    payload = payload_of(page)
    assert verified(browser, payload) == "accepted"
    assert "已撤销" in text_of(browser.follow(browser.post(f"/people/{desk.card.card_id}/revoke", payload=payload)))
    assert verified(browser, payload) == "revoked"
    assert payload not in repr(desk.services.deeds.deeds())


def test_a_static_code_has_no_end_and_a_suspended_card_no_code(desk: Desk) -> None:
    browser = desk.at_the_person()
    assert "长期有效" in text_of(browser.post(f"/people/{desk.card.card_id}/code", kind="static"))
    browser.post(f"/people/{desk.card.card_id}/state", change="suspend", reason="手机遗失")
    assert browser.post(f"/people/{desk.card.card_id}/code", kind="static").status_code == 409


@pytest.mark.parametrize("path", ["/people/00", "/people/zz", "/people/%3Cscript%3E", "/people/'%20OR%201=1"])
def test_a_card_that_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    answer = desk.signed_in(Role.SECURITY).get(path)
    assert answer.status_code == 404
    assert "<script>" not in answer.text
