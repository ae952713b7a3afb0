"""Signing in and out, sessions, their cookies and their ends; form tokens."""

import re
from collections.abc import Callable

import pytest
from desks import FORMS, HASH, NAMES, PASSWORD, Browser, Desk, text_of

from ehc.access import sign_in
from ehc.access.operator import Operator, Role
from ehc.access.password import SALT_BYTES, UNKNOWN_CHARACTERS, strength
from ehc.access.session import digest_of
from ehc.access.sign_in import FORGOTTEN, FREE, locked_until
from ehc.errors import KeyUnavailable
from ehc.keys.keyring import Keyring, Purpose
from ehc.web.console.table import PAGES

NEW = "three lanterns under a pine"


def test_signing_in_begins_a_session_whose_id_the_store_does_not_know(desk: Desk) -> None:
    browser = desk.browser()
    assert browser.sign_in("zhao.min").status_code == 303
    session = browser.jar["ehc_session"]
    assert len(session) == 43  # 256 bits
    assert desk.services.sessions.find(digest_of(session)) is not None
    home = desk.services.settings.home_path()
    assert all(session.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert browser.get("/").status_code == 200


def test_a_session_s_cookie_is_kept_from_scripts_and_other_sites(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/sign-in")
    cookies = browser.post("/sign-in", name="li.na", password=PASSWORD).headers.get_list("set-cookie")
    session = next(line for line in cookies if line.startswith("ehc_session="))
    assert "HttpOnly" in session
    assert "SameSite=strict" in session
    assert "Path=/" in session
    assert "Domain" not in session
    assert "Max-Age" not in session  # it ends with the browser
    assert "Secure" not in session  # plain HTTP on this machine


def test_over_tls_every_cookie_has_the_host_prefix_and_is_secure(desk: Desk) -> None:
    browser = desk.browser(base="https://ehc.example", client=("10.0.0.9", 5000))
    first = browser.get("/sign-in")
    second = browser.post("/sign-in", name="li.na", password=PASSWORD)
    lines = first.headers.get_list("set-cookie") + second.headers.get_list("set-cookie")
    assert len(lines) == 3
    assert all(line.startswith("__Host-ehc_") and "Secure" in line and "Path=/" in line for line in lines)
    assert browser.get("/").status_code == 200


def test_a_planted_session_id_is_not_taken_over(desk: Desk) -> None:
    """Session fixation: neither an invented id nor the one before signing in lives on."""
    browser = desk.browser()
    browser.jar["ehc_session"] = "planted-by-somebody-else"
    browser.get("/sign-in")
    assert browser.post("/sign-in", name="li.na", password=PASSWORD).status_code == 303
    assert browser.jar["ehc_session"] != "planted-by-somebody-else"
    assert desk.services.sessions.find(digest_of("planted-by-somebody-else")) is None


def test_signing_in_again_ends_the_session_before(desk: Desk) -> None:
    browser = desk.signed_in(Role.SECURITY)
    before = browser.jar["ehc_session"]
    assert browser.post("/sign-in", name="zhao.min", password=PASSWORD).status_code == 303
    assert desk.services.sessions.find(digest_of(before)) is None
    assert browser.jar["ehc_session"] != before


def test_signing_out_ends_the_session_in_the_store_too(desk: Desk) -> None:
    browser = desk.signed_in(Role.AUDIT)
    session = browser.jar["ehc_session"]
    assert browser.post("/sign-out").headers["location"] == "/console/sign-in"
    assert "ehc_session" not in browser.jar
    browser.jar["ehc_session"] = session  # somebody kept a copy
    assert browser.get("/looks").status_code == 303


@pytest.mark.parametrize("step", [899, 60])
def test_an_unused_session_ends_and_a_used_one_lasts(desk: Desk, step: int) -> None:
    browser = desk.signed_in(Role.AUDIT)
    for _ in range(3):
        desk.clock.now += step
        assert browser.get("/looks").status_code == 200
    desk.clock.now += 900
    assert browser.get("/looks").status_code == 303
    desk.clock.now -= 900  # it is gone, not only too old
    assert browser.get("/looks").status_code == 303


def test_a_busy_session_ends_after_its_whole_time(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(console_session_seconds=3600)
    browser = desk.signed_in(Role.AUDIT)
    for _ in range(5):
        desk.clock.now += 700
        assert browser.get("/looks").status_code == 200
    desk.clock.now += 100
    assert browser.get("/looks").status_code == 303


def test_disabling_an_operator_ends_their_sessions(desk: Desk) -> None:
    auditor = desk.signed_in(Role.AUDIT)
    system = desk.signed_in(Role.SYSTEM)
    assert system.post("/operators/change", name="zhao.min", act="disable").status_code == 303
    assert auditor.get("/looks").status_code == 303
    assert desk.browser().sign_in("zhao.min").status_code == 401
    system.post("/operators/change", name="zhao.min", act="enable")
    assert desk.browser().sign_in("zhao.min").status_code == 303


# --- form tokens


def other_session(desk: Desk) -> str:
    return desk.signed_in(Role.SYSTEM).token


@pytest.mark.parametrize("token", ["", "0" * 64, "ä", "other"])
def test_a_form_without_the_session_s_own_token_does_nothing(desk: Desk, token: str) -> None:
    browser = desk.at_the_person()
    browser.token = other_session(desk) if token == "other" else token
    answer = browser.post(f"/people/{desk.card.card_id}/state", change="suspend", reason="复核")
    assert answer.status_code == 403
    assert "页面已过期" in text_of(answer)
    assert desk.services.accounts.card(desk.card.card_id).state.name == "NORMAL"


def test_a_token_of_the_session_before_is_worth_nothing(desk: Desk) -> None:
    browser = desk.signed_in(Role.SECURITY)
    before = browser.token
    browser.post("/sign-out")
    browser.sign_in("li.na")
    assert browser.token != before
    browser.token = before
    assert browser.post("/sign-out").status_code == 403


def test_signing_in_needs_a_token_too(desk: Desk) -> None:
    """Nobody is signed in as somebody else by a form on another page."""
    browser = desk.browser()
    assert browser.post("/sign-in", name="li.na", password=PASSWORD).status_code == 403
    browser.get("/sign-in")
    browser.token = "0" * 64
    assert browser.post("/sign-in", name="li.na", password=PASSWORD).status_code == 403


def test_every_posting_page_asks_for_the_token(desk: Desk) -> None:
    browsers = {role: desk.signed_in(role) for role in Role}
    for page in (page for page in PAGES if page.method == "POST"):
        browser = browsers[next(iter(page.roles or {Role.AUDIT}))]
        browser.token = "1" * 64
        path = page.path.format(card_id=desk.card.card_id, institution="H-1", review="1")
        fields = FORMS.get(page.name, {"language": "en", "name": "li.na", "password": PASSWORD})
        assert browser.post(path, **fields).status_code == 403, page.name


def test_a_form_sent_by_another_site_is_refused_whatever_it_brings(desk: Desk) -> None:
    browser = desk.signed_in(Role.SECURITY)
    browser.headers["sec-fetch-site"] = "cross-site"
    assert browser.post("/sign-out").status_code == 403
    browser.headers["sec-fetch-site"] = "same-origin"
    assert browser.post("/sign-out").status_code == 303


# --- attempts


def test_whatever_is_wrong_the_answer_is_the_same(desk: Desk) -> None:
    desk.services.operators.add(Operator("sun.li", Role.AUDIT, 1, disabled_at=1), HASH)
    desk.services.operators.add(Operator("wu.di", Role.AUDIT, 1, one_time_until=desk.clock.now), HASH)

    def answer(name: str, password: str) -> tuple[int, str]:
        browser = desk.browser()
        browser.jar["ehc_form"] = "the same for all"
        got = browser.sign_in(name, password)
        return got.status_code, got.text

    wrong = answer("li.na", "not this one, surely")
    assert wrong[0] == 401
    for name, password in [
        ("nobody", PASSWORD),
        ("", ""),
        ("sun.li", PASSWORD),
        ("wu.di", PASSWORD),
        ("<b>", "x" * 1000),
    ]:
        assert answer(name, password) == wrong, name


def test_an_unknown_name_costs_the_same_work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(sign_in, "is_right", lambda password, hash_: checked.append(hash_.rpartition("$")[0]) or False)
    for name in ("li.na", "nobody", "no operator's name"):
        desk.browser().sign_in(name)
    parameters = {one.rpartition("$")[0] for one in checked}
    assert (len(checked), len(parameters)) == (3, 1)  # the same algorithm, memory, passes and lanes


def test_after_five_failures_even_the_right_password_waits(desk: Desk) -> None:
    check, clock = desk.services.sign_in.check, desk.clock
    for _ in range(FREE):
        assert check("li.na", "not this one, surely", "", clock.now) is None
    assert check("li.na", PASSWORD, "", clock.now) is None
    assert check("li.na", PASSWORD, "", clock.now + 29) is None
    assert check("li.na", PASSWORD, "", clock.now + 30) is not None
    assert check("li.na", PASSWORD, "", clock.now + 31) is not None  # all is forgotten
    assert check("zhao.min", PASSWORD, "", clock.now) is not None  # nobody else waited


def test_waiting_doubles_up_to_a_quarter_of_an_hour_and_nobody_is_shut_out_for_good() -> None:
    waits = [locked_until(attempts, 1000) - 1000 for attempts in range(FREE, FREE + 8)]
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert locked_until(FREE - 1, 1000) == 0
    attempts = allowed = at = 0
    while at < 3600:  # an hour of guessing as fast as it goes
        at = max(at, locked_until(attempts, at))
        attempts, allowed = attempts + 1, allowed + (at < 3600)
    assert allowed <= 13


def test_attempts_are_forgotten_after_a_day(desk: Desk) -> None:
    check, clock = desk.services.sign_in.check, desk.clock
    for _ in range(FREE):
        check("li.na", "not this one, surely", "", clock.now)
    assert check("li.na", PASSWORD, "", clock.now) is None
    assert check("li.na", PASSWORD, "", clock.now + FORGOTTEN) is not None


def test_one_address_may_not_keep_the_service_busy_with_passwords(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "is_right", lambda *_: False)  # at once: the pace is measured in seconds
    browser = desk.browser()
    browser.get("/sign-in")
    answers = [browser.post("/sign-in", name=f"n{i}", password="x").status_code for i in range(20)]
    assert answers[:10] == [401] * 10
    assert 429 in answers


# --- passwords


def change(browser: Browser, old: str, new: str, again: str | None = None) -> tuple[int, str]:
    answer = browser.post("/password", old=old, new=new, again=new if again is None else again)
    return answer.status_code, text_of(answer)


def test_a_password_that_somebody_else_gave_serves_once(desk: Desk) -> None:
    system = desk.signed_in(Role.SYSTEM)
    shown = system.post("/operators", name="sun.li", role="audit").text
    one_time = shown.partition('<p class="secret"><code>')[2].partition("<")[0]
    assert len(one_time) == 27
    browser = desk.browser()
    assert browser.sign_in("sun.li", one_time).status_code == 303
    for path in ("/", "/looks", "/statistics"):
        assert browser.get(path).headers["location"] == "/console/password"
    browser.get("/password")
    assert change(browser, one_time, NEW)[0] == 303
    browser.get("/password")
    assert browser.get("/looks").status_code == 200
    assert desk.browser().sign_in("sun.li", one_time).status_code == 401
    assert desk.browser().sign_in("sun.li", NEW).status_code == 303


def test_changing_the_password_needs_the_old_one_and_ends_all_other_sessions(desk: Desk) -> None:
    browser, other = desk.signed_in(Role.AUDIT), desk.signed_in(Role.AUDIT)
    assert change(browser, "not this one, surely", NEW)[0] == 422
    assert change(browser, PASSWORD, NEW, "something else entirely")[0] == 422
    assert change(browser, PASSWORD, PASSWORD)[0] == 422
    before = browser.jar["ehc_session"]
    assert change(browser, PASSWORD, NEW)[0] == 303
    assert browser.jar["ehc_session"] != before
    assert browser.get("/looks").status_code == 200
    assert other.get("/looks").status_code == 303


def test_an_operator_sees_the_own_sessions_and_ends_them_with_the_password(desk: Desk) -> None:
    desk.signed_in(Role.SECURITY)  # somebody else's is not among them
    browser, second, third = (desk.signed_in(Role.AUDIT) for _ in range(3))
    page = browser.get("/sessions").text
    handles = [digest_of(one.jar["ehc_session"])[:8].hex() for one in (browser, second, third)]
    assert sorted(re.findall(r'name="session" value="([0-9a-f]{16})"', page)) == sorted(handles[1:])
    assert browser.post("/sessions", session=handles[1], password="not it, surely").status_code == 422
    assert second.get("/looks").status_code == 200
    assert "所选登录已退出" in text_of(browser.follow(browser.post("/sessions", session=handles[1], password=PASSWORD)))
    assert [one.get("/looks").status_code for one in (browser, second, third)] == [200, 303, 200]
    browser.get("/sessions")
    browser.follow(browser.post("/sessions", session="", password=PASSWORD))
    assert [one.get("/looks").status_code for one in (browser, third)] == [200, 303]


def test_the_hash_of_a_chosen_password_is_sealed_for_its_operator(desk: Desk) -> None:
    browser, operators, sign_in = desk.signed_in(Role.AUDIT), desk.services.operators, desk.services.sign_in
    assert change(browser, PASSWORD, NEW)[0] == 303
    found = operators.find("zhao.min")
    assert found
    kept = found[1]
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert re.fullmatch(r"~[0-9A-Za-z+/]{96}", kept.rpartition("$")[2])
    assert len(kept) <= 160  # what the column holds
    assert sign_in.check("zhao.min", NEW, "", desk.clock.now)
    assert not sign_in.check("zhao.min", PASSWORD, "", desk.clock.now)
    operators.set_password("li.na", kept, None)
    with pytest.raises(KeyUnavailable):
        sign_in.change_password("li.na", NEW, PASSWORD, desk.clock.now, salt=bytes(SALT_BYTES), nonce=bytes(12))


def test_an_operator_whose_password_does_not_open_is_answered_as_nobody_is(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    assert change(desk.signed_in(Role.AUDIT), PASSWORD, NEW)[0] == 303
    with Keyring() as other:
        other.add(Purpose.PROTECTION_KEY, bytearray(16), 0)
        desk.services.sign_in._seals.take_over(other)
    answers = [desk.browser().sign_in(name, NEW) for name in ("zhao.min", "nobody.at.all")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert text_of(answers[0]) == text_of(answers[1])
    assert "an operator cannot sign in" in caplog.text
    assert "zhao.min" not in caplog.text


def test_a_password_is_measured_and_neither_changed_nor_sent_back(desk: Desk) -> None:
    browser = desk.signed_in(Role.AUDIT)
    before = len(desk.services.deeds.deeds())
    for new, found in (("password2026", 0), ("zhao.min.zhao.min", 2), (NEW, strength(NEW, "zhao.min"))):
        page = browser.post("/password/strength", old="", new=new, again="")
        assert page.status_code == 200
        assert f'value="{found}"></meter>' in page.text
        assert new not in page.text
    assert strength(NEW, "zhao.min") >= UNKNOWN_CHARACTERS
    assert desk.browser().sign_in("zhao.min").status_code == 303
    assert len(desk.services.deeds.deeds()) == before + 1  # that sign-in


def test_who_wants_it_sees_what_is_typed(desk: Desk) -> None:
    for browser, path, fields in ((desk.browser(), "/sign-in", 1), (desk.signed_in(Role.AUDIT), "/password", 3)):
        assert browser.get(path).text.count('type="password"') == fields
        shown = browser.get(f"{path}?shown=yes").text
        assert 'type="password"' not in shown
        assert shown.count('type="text" spellcheck="false"') == fields


@pytest.mark.parametrize(
    ("new", "says"),
    [("short", "至少 12 个字符"), ("x1" * 65, "最多 128 个字符"), ("Password2026!", "容易被猜中")],
)
def test_a_refused_password_is_explained(desk: Desk, new: str, says: str) -> None:
    status, text = change(desk.signed_in(Role.AUDIT), PASSWORD, new)
    assert status == 422
    assert says in text


def test_signing_in_and_out_and_failing_are_recorded(desk: Desk) -> None:
    browser = desk.browser()
    browser.sign_in("zhao.min")
    browser.post("/sign-out")
    desk.browser().sign_in("zhao.min", "not this one, surely")
    desk.browser().sign_in("my password in the wrong field", "x")
    deeds = [(deed.operator, deed.what, deed.result) for deed in desk.services.deeds.deeds()]
    assert deeds == [
        ("-", "sign_in", "unauthenticated"),
        ("-", "sign_in", ""),
        ("zhao.min", "sign_in", "unauthenticated"),
        ("zhao.min", "sign_in", ""),
        ("zhao.min", "sign_out", ""),
        ("zhao.min", "sign_in", ""),
    ]
    assert all("wrong field" not in repr(deed) for deed in desk.services.deeds.deeds())
    assert NAMES[Role.AUDIT] == "zhao.min"
