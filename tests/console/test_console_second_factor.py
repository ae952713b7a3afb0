"""A second factor of an operator: bound, asked for, each code once, removed; and required where the setting says so."""

import re
from base64 import b32decode
from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from desks import NAMES, Browser, Desk, text_of

from ehc.access.operator import Role
from ehc.access.second_factor import STEP
from ehc.access.sign_in import FREE, who_of


class Phone:
    """What an authenticator app does with what the page shows."""

    def __init__(self, page: str) -> None:
        found = re.search(r"<code>((?:[A-Z2-7]{4} ?){8})</code>", page)
        assert found
        key = b32decode(found[1].replace(" ", ""))
        self._totp = TOTP(key, 6, SHA1(), STEP)

    def code(self, now: int) -> str:
        return self._totp.generate(now).decode()


def bound(desk: Desk, browser: Browser) -> Phone:
    page = browser.post("/second-factor/new")
    phone, sealed = Phone(page.text), re.search(r'name="sealed" value="([0-9a-f]+)"', page.text)
    assert sealed
    answer = browser.post("/second-factor/bind", sealed=sealed[1], code=phone.code(desk.clock.now))
    assert "动态口令已绑定" in text_of(browser.follow(answer))
    return phone


def test_signing_in_takes_a_code_once_one_is_bound_and_each_code_once(desk: Desk) -> None:
    phone = bound(desk, desk.signed_in(Role.SECURITY))
    name = NAMES[Role.SECURITY]
    assert desk.browser().sign_in(name).status_code == 401
    assert desk.browser().sign_in(name, code="000000").status_code == 401
    assert desk.browser().sign_in(name, code=phone.code(desk.clock.now)).status_code == 401  # it bound the phone
    desk.clock.now += STEP
    code = phone.code(desk.clock.now)
    assert desk.browser().sign_in(name, password="another heron, another lake", code=code).status_code == 401
    desk.clock.now += 3600  # five free attempts are over
    code = phone.code(desk.clock.now)
    assert desk.browser().sign_in(name, code=code).status_code == 303
    assert desk.browser().sign_in(name, code=code).status_code == 401
    assert desk.browser().sign_in(NAMES[Role.AUDIT]).status_code == 303  # who has none needs none


def test_binding_ends_all_other_sessions_and_wants_a_code_of_it(desk: Desk) -> None:
    other, browser = desk.signed_in(Role.SECURITY), desk.signed_in(Role.SECURITY)
    page = browser.post("/second-factor/new")
    sealed = re.search(r'name="sealed" value="([0-9a-f]+)"', page.text)
    assert sealed
    assert browser.post("/second-factor/bind", sealed=sealed[1], code="12345").status_code == 422
    bound(desk, browser)
    assert other.get("/").headers["location"] == "/console/sign-in"
    second = browser.post("/second-factor/new")
    again = re.search(r'name="sealed" value="([0-9a-f]+)"', second.text)
    assert again
    code = Phone(second.text).code(desk.clock.now)
    assert browser.post("/second-factor/bind", sealed=again[1], code=code).status_code == 409  # there is one


def test_what_was_sealed_for_another_operator_binds_nothing(desk: Desk) -> None:
    page = desk.signed_in(Role.AUDIT).post("/second-factor/new")
    sealed = re.search(r'name="sealed" value="([0-9a-f]+)"', page.text)
    assert sealed
    browser = desk.signed_in(Role.SECURITY)
    answer = browser.post("/second-factor/bind", sealed=sealed[1], code=Phone(page.text).code(desk.clock.now))
    assert answer.status_code == 422
    assert desk.services.operators.second_factor(NAMES[Role.SECURITY]) is None


def test_an_operator_removes_it_with_a_code_and_a_system_operator_without(desk: Desk) -> None:
    browser = desk.signed_in(Role.SECURITY)
    phone = bound(desk, browser)
    desk.clock.now += STEP
    browser.get("/second-factor")
    assert browser.post("/second-factor/unbind", code="000000").status_code == 422
    answer = browser.post("/second-factor/unbind", code=phone.code(desk.clock.now))
    assert "动态口令已解除" in text_of(browser.follow(answer))
    bound(desk, browser)
    system = desk.signed_in(Role.SYSTEM)
    assert "动态口令" in text_of(system.get("/operators"))
    system.follow(system.post("/operators/change", name=NAMES[Role.SECURITY], act="unbind"))
    assert browser.get("/").headers["location"] == "/console/sign-in"
    assert desk.browser().sign_in(NAMES[Role.SECURITY]).status_code == 303


def test_removing_it_forgets_the_attempts(desk: Desk) -> None:
    browser, operators = desk.signed_in(Role.SECURITY), desk.services.operators
    phone = bound(desk, browser)
    desk.clock.now += STEP
    browser.get("/second-factor")
    for _ in range(FREE - 1):
        assert browser.post("/second-factor/unbind", code="000000").status_code == 422
    browser.follow(browser.post("/second-factor/unbind", code=phone.code(desk.clock.now)))
    who = who_of(NAMES[Role.SECURITY])
    assert [operators.attempt(who, desk.clock.now) for _ in range(FREE + 1)] == [True] * FREE + [False]


def test_guessing_codes_is_slowed_down_as_guessing_passwords_is(desk: Desk) -> None:
    phone = bound(desk, desk.signed_in(Role.SECURITY))
    desk.clock.now += STEP
    for _ in range(FREE):
        assert desk.browser().sign_in(NAMES[Role.SECURITY], code="000000").status_code == 401
    right = phone.code(desk.clock.now)
    assert desk.browser().sign_in(NAMES[Role.SECURITY], code=right).status_code == 401


def test_where_it_is_required_nothing_opens_before_it_is_bound(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(console_second_factor="required")
    browser = desk.signed_in(Role.SECURITY)
    assert browser.get("/people").headers["location"] == "/console/second-factor"
    assert "要求操作员绑定动态口令" in text_of(browser.get("/second-factor"))
    bound(desk, browser)
    assert browser.get("/people").status_code == 200


def test_the_secret_stands_nowhere_in_the_clear(desk: Desk) -> None:
    browser = desk.signed_in(Role.SECURITY)
    page = browser.post("/second-factor/new")
    phone, sealed = Phone(page.text), re.search(r'name="sealed" value="([0-9a-f]+)"', page.text)
    assert sealed
    browser.post("/second-factor/bind", sealed=sealed[1], code=phone.code(desk.clock.now))
    secret = phone._totp._hotp._key
    home = desk.services.settings.home_path()
    texts = (secret, secret.hex().encode())
    assert all(one not in file.read_bytes() for file in home.rglob("*") if file.is_file() for one in texts)
