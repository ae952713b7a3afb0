"""Institutions, statistics, callers, operators, health, looks and deeds; languages; what is refused; headers."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from desks import PASSWORD, PURPOSE, Browser, Desk, text_of

from ehc.access.caller import digest_of
from ehc.access.operator import Role
from ehc.cards.accounts import Act
from ehc.institutions.place import Department, Institution, Sighting, Terminal
from ehc.institutions.use import Report
from ehc.model import CST, Identity
from ehc.web.console.headers import HEADERS

EVIL = '<script>alert("1")</script>'


@pytest.fixture
def clinic(desk: Desk) -> Desk:
    """With an institution that reported uses."""
    register, now = desk.services.register, desk.clock.now
    register.add(Institution("H-1", f"{EVIL}医院", "440103", "A100", now - 1), "")
    register.add(Department("H-1", "D1", f"{EVIL}科", now), "")
    register.add(Terminal("H-1", "T1", "01", "D1", now), "")  # type: ignore[arg-type]
    register.add(Terminal("H-1", "T2", "02", None, now), "")  # type: ignore[arg-type]
    desk.services.places.seen([Sighting("H-1", "T1", now, 45), Sighting("H-1", "T2", now - 4000, 2)])
    at = datetime.fromtimestamp(now, CST).isoformat()
    rows = [Report(f"r{i}", at, "010101", "served" if i else "failed", desk.card.card_id) for i in range(4)]
    rows += [Report("s", at, "010105", "refused", desk.card.card_id)]
    assert [one.ruling.value for one in desk.services.records.upload("H-1", rows, now)] == ["kept"] * 5
    return desk


def test_an_institution_is_shown_with_its_parts_and_what_was_seen_of_them(clinic: Desk) -> None:
    browser = clinic.signed_in(Role.SYSTEM)
    assert "广东省" in text_of(browser.get("/institutions"))
    assert "没有符合条件的医疗机构" in text_of(browser.get("/institutions?region=11"))
    text = text_of(browser.get("/institutions/H-1"))
    assert "+45 秒，须校时" in text
    assert "+2 秒" in text
    assert "离线" in text


@pytest.mark.parametrize(("part", "code"), [("institution", "H-1"), ("department", "D1"), ("terminal", "T1")])
def test_a_place_is_disabled_and_enabled_again(clinic: Desk, part: str, code: str) -> None:
    browser, kinds = clinic.signed_in(Role.SYSTEM), {"department": Department, "terminal": Terminal}
    key = ("H-1",) if part == "institution" else ("H-1", code)
    find = clinic.services.register.find
    for enabled in ("no", "yes"):
        browser.follow(browser.post("/institutions/H-1", part=part, code=code, enabled=enabled))
        place = find(kinds.get(part, Institution), *key)
        assert (place.disabled_at is None) is (enabled == "yes")
    assert clinic.services.places.history("H-1")[-1].by == "operator:wang.yu"


def test_long_lists_have_pages(desk: Desk) -> None:
    for i in range(52):
        desk.services.register.add(Institution(f"H-{i:02}", f"医院 {i:02}", "440103", "A", 1), "")
    browser = desk.signed_in(Role.SYSTEM)
    first = browser.get("/institutions")
    onward = re.search(r'href="(/console/institutions\?[^"]+)"', first.text)
    assert onward
    assert "医院 49" in first.text
    second = browser.request("GET", onward[1].replace("&amp;", "&"))
    assert "医院 51" in second.text
    assert "医院 49" not in second.text


def test_statistics_count_what_was_reported(clinic: Desk) -> None:
    browser = clinic.signed_in(Role.AUDIT)
    page = browser.get("/statistics")
    figures = re.findall(r"<dd>(\d+)", page.text)
    assert figures == ["5", "3", "1", "1", "1"]  # all, served, refused, failed, institutions
    assert "挂号" in text_of(page)
    assert "80.0%" in text_of(page)  # 010101
    assert page.text.count("<svg") == 2 + 1 + 2 + 1  # days, hours; a bar a region, scene, institution
    assert re.findall(r"<dd>(\d+)", browser.get("/statistics?scene=010105").text)[0] == "1"
    assert "没有用卡记录" in text_of(browser.get("/statistics?region=11"))
    assert "440103" in text_of(browser.get("/statistics?region=4401"))


@pytest.mark.parametrize(
    "query", ["since=2026-01-02&until=2026-01-01", "since=2020-01-01&until=2026-01-01", "since=2026-02-30", "since=x"]
)
def test_a_period_that_is_none_is_refused(desk: Desk, query: str) -> None:
    assert desk.signed_in(Role.AUDIT).get(f"/statistics?{query}").status_code == 422


def test_the_overview_has_the_week_and_the_tasks_of_the_role(clinic: Desk) -> None:
    text = text_of(clinic.signed_in(Role.SYSTEM).get("/"))
    assert "近七日用卡" in text
    assert "接入方" in text
    assert "人员查询" not in text


def secret(page: str) -> str:
    return page.partition('<p class="secret"><code>')[2].partition("<")[0]


def test_a_caller_s_key_is_shown_once_and_works(desk: Desk) -> None:
    browser = desk.signed_in(Role.SYSTEM)
    data = {"csrf": browser.token, "name": "clinic", "scopes": ["verify", "codes"], "institution": "H-1", "rate": "50"}
    key = secret(browser.request("POST", "/console/callers", data=data).text)
    (known,) = desk.services.callers.keys(desk.clock.now)
    assert known.digest == digest_of(key)
    assert (sorted(known.caller.scopes), known.caller.institution, known.caller.rate) == (
        ["codes", "verify"],
        "H-1",
        50,
    )
    assert key not in browser.get("/callers").text
    rotated = secret(browser.post("/callers/change", name="clinic", act="rotate").text)
    assert len(desk.services.callers.keys(desk.clock.now)) == 2
    assert rotated != key
    browser.follow(browser.post("/callers/change", name="clinic", act="revoke"))
    assert desk.services.callers.keys(desk.clock.now) == []
    subjects = [deed.subject for deed in desk.services.deeds.deeds() if "caller" in deed.what]
    assert subjects == ["revoke clinic", "rotate clinic", "clinic"]
    assert key not in repr(desk.services.deeds.deeds())


@pytest.mark.parametrize(
    "fields", [{"name": "clinic"}, {"name": "-", "scopes": "verify"}, {"name": "a", "scopes": "x"}]
)
def test_a_caller_that_may_not_be_is_refused(desk: Desk, fields: dict[str, str]) -> None:
    assert desk.signed_in(Role.SYSTEM).post("/callers", **fields).status_code == 422
    assert desk.services.callers.all(desk.clock.now) == []


def test_operators_are_added_but_never_by_a_name_of_before(desk: Desk) -> None:
    browser = desk.signed_in(Role.SYSTEM)
    assert browser.post("/operators", name="li.na", role="system").status_code == 409
    assert browser.post("/operators", name="Sun Li", role="audit").status_code == 422
    assert browser.post("/operators", name="sun.li", role="root").status_code == 422
    assert secret(browser.post("/operators", name="sun.li", role="audit").text)
    assert "待设口令" in text_of(browser.get("/operators"))


def test_nobody_disables_themselves_or_gives_themselves_a_password(desk: Desk) -> None:
    browser = desk.signed_in(Role.SYSTEM)
    for act in ("disable", "password", "enable"):
        assert browser.post("/operators/change", name="wang.yu", act=act).status_code == 409


def test_health_names_every_part_and_what_does_not_answer(
    make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ehc.errors import Unavailable

    desk = make_desk()
    browser = desk.signed_in(Role.SYSTEM)
    page = browser.get("/health")
    assert "各部分运行正常" in text_of(page)
    for shown in ("SQLite", "本机共享文件", "v1", desk.services.keys.security_key_check_value, "cryptography"):
        assert shown in text_of(page), shown

    def gone(_self: object) -> None:
        raise Unavailable("the database ehc does not answer: gone")

    monkeypatch.setattr(type(desk.services.account_store), "ready", gone)
    assert "1 个部分异常" in text_of(browser.get("/health"))


def test_how_a_rekeying_stands_is_told_in_both_languages(desk: Desk) -> None:
    browser, store = desk.signed_in(Role.SYSTEM), desk.services.rekeying
    assert "尚未更新过安全密钥" in text_of(browser.get("/rekeying"))
    store.begin(1, 2, 1)
    store.pause(paused=True)
    shown = text_of(browser.get("/rekeying"))
    for part in ("v1 → v2", "生成新ID", "已暂停", "0.0%", "尚无预计"):
        assert part in shown, part
    browser.post("/language", language="en", back="/console/rekeying")
    assert "Backfill" in text_of(browser.get("/rekeying"))


def test_the_auditor_sees_who_looked_at_whom_and_why_but_not_who_it_is(desk: Desk) -> None:
    other = desk.services.registrar.register(Identity("03", "E00000000", "TEST PERSON"), 1).card
    assert other is not None
    security = desk.at_the_person()
    security.post("/people", by="card_id", value=other.card_id, purpose=EVIL)
    auditor = desk.signed_in(Role.AUDIT)
    page = auditor.get("/looks")
    assert PURPOSE in text_of(page)
    assert "operator:li.na" in text_of(page)
    assert "****卡" not in page.text
    assert "<script>" not in page.text
    only = text_of(auditor.get(f"/looks?card_id={other.card_id}"))
    assert EVIL in only
    assert PURPOSE not in only
    assert auditor.get("/looks?card_id=00").status_code == 404


def test_the_auditor_sees_what_operators_did_and_what_was_refused(desk: Desk) -> None:
    browser = desk.at_the_person()
    browser.post(f"/people/{desk.card.card_id}/state", change="restore", reason="误操作")
    auditor = desk.signed_in(Role.AUDIT)
    text = text_of(auditor.get("/deeds"))
    assert "未执行: 当前状态不允许此操作" in text
    assert "恢复注销" in text
    assert desk.card.card_id[:12] in text
    assert "恢复注销" not in text_of(auditor.get("/deeds?operator=wang.yu"))


def test_looks_and_deeds_have_pages(desk: Desk) -> None:
    browser = desk.signed_in(Role.SECURITY)
    for i in range(51):
        browser.post("/people", by="card_id", value="00", purpose=f"第{i:03}次")
    auditor = desk.signed_in(Role.AUDIT)
    first = auditor.get("/looks")
    onward = re.search(r'href="(/console/looks\?[^"]*before=\d+)"', first.text)
    assert onward
    second = auditor.request("GET", onward[1].replace("&amp;", "&"))
    assert ("第050次" in first.text, "第000次" in first.text, "第000次" in second.text) == (True, False, True)


# --- text from outside


def test_a_script_in_a_name_is_text(clinic: Desk) -> None:
    """Wherever a name, a reason, a purpose or a place is shown."""
    services = clinic.services
    services.accounts.suspend(clinic.card, Act(clinic.clock.now, f"caller {EVIL}", EVIL))
    security = clinic.signed_in(Role.SECURITY)
    security.post("/people", by="phone", value=EVIL, purpose=EVIL)
    person = security.follow(security.post(f"/people/{clinic.card.card_id}/open", purpose=EVIL))
    system = clinic.signed_in(Role.SYSTEM)
    pages = [
        person,
        security.post("/people", by="phone", value="13800138000", purpose=EVIL),
        system.get("/institutions"),
        system.get("/institutions/H-1"),
        system.get("/statistics"),
        system.get(f"/statistics?institution={EVIL}"),
        clinic.signed_in(Role.AUDIT).get("/looks"),
    ]
    for page in pages:
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text


def test_a_person_whose_name_ends_in_a_tag_is_shown_as_text(desk: Desk) -> None:
    card = desk.services.registrar.register(Identity("03", "E00000001", "A<B>"), 1, "", {"phone": "13900000000"}).card
    assert card is not None
    page = desk.signed_in(Role.SECURITY).post("/people", by="phone", value="13900000000", purpose=PURPOSE)
    assert "***&gt;" in page.text


# --- languages


def test_english_is_a_switch_that_stays(desk: Desk) -> None:
    browser = desk.signed_in(Role.AUDIT)
    assert '<html lang="zh-CN">' in browser.get("/looks").text
    answer = browser.post("/language", language="en", back="/console/looks")
    assert answer.headers["location"] == "/console/looks"
    page = browser.follow(answer)
    assert '<html lang="en">' in page.text
    assert "Looks at people" in page.text
    browser.post("/language", language="zh", back="/console/looks")
    assert '<html lang="zh-CN">' in browser.get("/looks").text


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/console/../x", "/console//evil", "/\\evil", "", "javascript:1"],
)
def test_nobody_is_sent_to_another_site(desk: Desk, back: str) -> None:
    answer = desk.signed_in(Role.AUDIT).post("/language", language="en", back=back)
    assert answer.headers["location"].startswith("/console/")
    assert "evil" not in answer.headers["location"]


# --- what is refused, and headers


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"csrf=" + b"0" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"csrf=%FF%FE", "application/x-www-form-urlencoded", 422),
        (b"csrf=1&csrf=2", "application/x-www-form-urlencoded", 422),
        (b"&".join(b"a%d=1" % i for i in range(60)), "application/x-www-form-urlencoded", 422),
        ("csrf=电".encode(), "application/x-www-form-urlencoded", 422),
    ],
)
def test_what_is_no_form_is_refused(desk: Desk, body: bytes, content_type: str, status: int) -> None:
    browser = desk.signed_in(Role.AUDIT)
    answer = browser.request("POST", "/console/sign-out", content=body, headers={"content-type": content_type})
    assert answer.status_code == status
    assert "text/html" in answer.headers["content-type"]


def test_a_field_that_a_form_has_not_is_refused(desk: Desk) -> None:
    browser = desk.signed_in(Role.SYSTEM)
    assert browser.post("/operators", name="sun.li", role="audit", disabled_at="0").status_code == 422
    assert browser.get("/institutions?sort=name").status_code == 422


def answers(desk: Desk, browser: Browser) -> list[str]:
    browser.get("/sign-in")
    style = re.search(r'href="(/console/static/[0-9a-f]+/console.css)"', browser.get("/sign-in").text)
    assert style
    return ["/console/sign-in", "/console/", "/console/nothing", style[1], "/console/static/0/console.css"]


def test_every_answer_has_the_security_headers(desk: Desk) -> None:
    browser = desk.browser()
    for path in answers(desk, browser):
        answer = browser.request("GET", path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.status_code == 303 or answer.headers["content-type"].endswith("; charset=utf-8")
        if "console.css" not in path or answer.status_code != 200:
            assert answer.headers["cache-control"] == "no-store"
    assert "script-src" not in HEADERS["content-security-policy"]  # default-src 'none': there is none
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_over_tls_browsers_are_told_to_stay_there(desk: Desk) -> None:
    answer = desk.browser(base="https://ehc.example", client=("10.0.0.9", 1)).get("/sign-in")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("headers", [{}, {"x-forwarded-for": "10.0.0.9"}])
def test_without_tls_the_console_answers_this_machine_alone(desk: Desk, headers: dict[str, str]) -> None:
    client = ("127.0.0.1", 1) if headers else ("10.0.0.9", 1)
    browser = desk.browser(client=client, headers=headers)
    assert browser.get("/sign-in").status_code == 403
    assert "TLS" in text_of(browser.get("/sign-in"))


def test_behind_a_proxy_that_speaks_tls_cookies_are_secure(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(console_behind_tls=True)
    browser = desk.browser(headers={"x-forwarded-for": "10.0.0.9"})
    browser.get("/sign-in")
    lines = browser.post("/sign-in", name="li.na", password=PASSWORD).headers.get_list("set-cookie")
    assert all(line.startswith("__Host-") and "Secure" in line for line in lines)


def test_a_page_that_is_not_there_is_a_page_that_says_so(desk: Desk) -> None:
    answer = desk.signed_in(Role.AUDIT).get("/nothing")
    assert answer.status_code == 404
    assert "没有这个页面" in text_of(answer)
    assert desk.browser().request("GET", "/console").headers["location"] == "/console/"


def test_a_method_that_a_page_has_not_is_refused(desk: Desk) -> None:
    browser = desk.signed_in(Role.AUDIT)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = browser.request(method, "/console/looks")
        assert answer.status_code == 405
        assert "text/html" in answer.headers["content-type"]


def test_the_log_names_the_page_and_nobody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ehc")
    browser = desk.browser()
    browser.sign_in("li.na")
    browser.post("/people", by="phone", value="13800138000", purpose=PURPOSE)
    browser.post(f"/people/{desk.card.card_id}/open", purpose=PURPOSE)
    browser.get(f"/people/{desk.card.card_id}")
    lines = [(record.getMessage(), vars(record).get("fields")) for record in caplog.records]
    endpoints = [fields["endpoint"] for _, fields in lines if fields]
    assert endpoints[-3:] == ["console_search", "console_open_person", "console_show_person"]
    for secret in (PASSWORD, "13800138000", PURPOSE, desk.card.card_id, browser.jar["ehc_session"], "****卡"):
        assert secret not in repr(lines)


def test_an_unexpected_error_shows_nothing_of_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(type(desk.services.looks), "looks", broken)
    answer = desk.signed_in(Role.AUDIT).get("/looks")
    assert answer.status_code == 500
    assert "系统出错" in text_of(answer)
    assert "secret" not in answer.text


def test_a_look_that_cannot_be_recorded_does_not_happen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from ehc.errors import Unavailable

    def gone(*_: object) -> None:
        raise Unavailable("the database ehc does not answer")

    browser = desk.at_the_person()
    monkeypatch.setattr(type(desk.services.looks), "record", gone)
    answer = browser.get(f"/people/{desk.card.card_id}")
    assert answer.status_code == 503
    assert "****卡" not in answer.text
    monkeypatch.setattr(type(desk.services.deeds), "record", gone)
    assert browser.post(f"/people/{desk.card.card_id}/state", change="suspend", reason="遗失").status_code == 503
    assert desk.services.accounts.card(desk.card.card_id).state.name == "NORMAL"
