"""The console in Chromium, as an operator uses it, over `ehc serve` and real connections. One browser, one service."""

import re
from base64 import b32decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import browsers
import pytest
import servers
from desks import HASH, NAMES, PASSWORD, PURPOSE, SAMPLE
from playwright.sync_api import Browser, Page, expect
from services import settings_of

from ehc.access.operator import Operator, Role
from ehc.cli.serve import running_service
from ehc.config import Settings
from ehc.institutions.place import Channel, Department, Institution, Terminal
from ehc.institutions.use import Report
from ehc.wiring.services import open_services
from ehc.wiring.stores import system_clock

WIDTHS = (1280, 390, 360)
PAGES = {
    Role.SYSTEM: (
        "",
        "institutions",
        "institutions/H-1",
        "statistics",
        "callers",
        "apps",
        "operators",
        "health",
        "rekeying",
        "password",
        "second-factor",
        "sessions",
    ),
    Role.SECURITY: ("", "people", "statistics"),
    Role.AUDIT: ("", "looks", "deeds", "nothing"),
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a service on Redis with an operator of each role, a person, an institution, and uses of this hour."""
    with servers.redis(tmp_path_factory.mktemp("redis")) as redis:
        settings = settings_of(tmp_path_factory.mktemp("browser"), redis=redis.url)
        _furnish(settings)
        with running_service(settings) as found:
            yield found


def _furnish(settings: Settings) -> None:
    services, now = open_services(settings), system_clock()
    for role, name in NAMES.items():
        services.operators.add(Operator(name, role, now), HASH)
    card = services.registrar.register(SAMPLE, now, "", {"phone": "13800138000"}).card
    assert card is not None
    services.register.add(Institution("H-1", "市第一人民医院", "440103", "A100", now - 60), "")
    services.register.add(Department("H-1", "D1", "门诊收费处", now - 60), "")
    services.register.add(Terminal("H-1", "T-01", Channel.WINDOW, "D1", now - 60), "")
    at = datetime.fromtimestamp(now, UTC).isoformat()
    reports = [Report(f"r{i}", at, "010101", "served" if i else "refused", card.card_id) for i in range(8)]
    assert all(one.ruling.value == "kept" for one in services.records.upload("H-1", reports, now))
    services.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    """A browser that nobody used before; it complains of nothing."""
    context = chromium.new_context(base_url=url, locale="zh-CN", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    said: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert [text for text in said if "404" not in text] == []  # nothing of the policy, no script


def sign_in(page: Page, role: Role) -> None:
    page.goto("/console")
    page.get_by_label("用户名").fill(NAMES[role])
    page.get_by_label("口令", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("工作台")


def find_the_person(page: Page) -> None:
    page.get_by_role("link", name="人员查询").first.click()
    page.get_by_label("手机号码").check()
    expect(page.get_by_label("证件类型")).to_be_hidden()
    page.get_by_label("号码", exact=True).fill("138 0013 8000")
    page.get_by_label("查询目的").fill(PURPOSE)
    page.get_by_role("button", name="查询").click()
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("****卡")


def test_an_operator_finds_a_person_suspends_the_card_and_resumes_it(page: Page) -> None:
    sign_in(page, Role.SECURITY)
    find_the_person(page)
    page.get_by_text("停用", exact=True).click()
    page.get_by_label("原因").locator("visible=true").fill("手机遗失")
    page.get_by_role("button", name="确认停用").click()
    expect(page.get_by_role("status")).to_have_text("健康卡已停用。")
    history = page.get_by_role("table")
    expect(history).to_contain_text("手机遗失")
    expect(history).to_contain_text("operator:li.na")
    expect(page.get_by_text("当前状态下不能签发二维码")).to_be_visible()
    page.reload()  # does nothing twice
    expect(history.get_by_text("手机遗失")).to_have_count(1)
    page.get_by_text("恢复使用", exact=True).first.click()
    page.get_by_label("原因").locator("visible=true").fill("手机找回")
    page.get_by_role("button", name="确认恢复").click()
    expect(page.get_by_role("status")).to_have_text("健康卡已恢复使用。")


def test_an_issued_code_can_be_read_from_the_screen(page: Page, tmp_path: Path) -> None:
    import zxingcpp
    from PIL import Image

    sign_in(page, Role.SECURITY)
    find_the_person(page)
    page.get_by_role("button", name="签发动态码").click()
    page.locator(".symbol").screenshot(path=tmp_path / "code.png")
    read = zxingcpp.read_barcode(Image.open(tmp_path / "code.png"))
    assert read is not None
    assert read.text == page.locator("input[name=payload]").get_attribute("value")
    page.get_by_role("button", name="撤销此码").click()
    expect(page.get_by_role("status")).to_have_text("该二维码已撤销。")


def test_a_phone_scans_the_second_factor_and_its_code_binds_it(page: Page, tmp_path: Path) -> None:
    import zxingcpp
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP
    from PIL import Image

    sign_in(page, Role.AUDIT)
    page.get_by_role("link", name="动态口令").click()
    page.get_by_role("button", name="绑定手机").click()
    page.locator(".symbol").screenshot(path=tmp_path / "factor.png")
    read = zxingcpp.read_barcode(Image.open(tmp_path / "factor.png"))
    assert read is not None
    secret = re.search(r"secret=([A-Z2-7]{32})&", read.text)
    assert secret
    phone = TOTP(b32decode(secret[1]), 6, SHA1(), 30)
    page.get_by_label("动态口令").fill(phone.generate(system_clock()).decode())
    page.get_by_role("button", name="确认绑定").click()
    expect(page.get_by_role("status")).to_have_text("动态口令已绑定，其他登录均已退出。")
    page.get_by_role("link", name="动态口令").click()
    page.get_by_label("动态口令").fill(phone.generate(system_clock() + 30).decode())
    page.get_by_role("button", name="解除绑定").click()
    expect(page.get_by_role("status")).to_have_text("动态口令已解除。")


def test_english_is_one_click_away_and_stays_where_one_is(page: Page) -> None:
    sign_in(page, Role.AUDIT)
    page.get_by_role("link", name="查询记录").first.click()
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(re.compile("/console/looks$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Looks at people")
    page.get_by_role("link", name="Record of deeds").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("操作审计")


def test_the_index_is_asked_for_a_number_of_a_domain_or_for_what_is_known_of_a_person(page: Page) -> None:
    sign_in(page, Role.SECURITY)
    page.get_by_role("link", name="主索引查询").first.click()
    page.get_by_label("标识域").select_option("passport")
    expect(page.get_by_label("姓名", exact=True)).to_be_hidden()
    page.get_by_label("号码", exact=True).fill("E12345678")
    page.get_by_label("查询目的").fill(PURPOSE)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("没有符合条件的人员。")).to_be_visible()
    page.get_by_label("按姓名与出生日期或电话").check()
    expect(page.get_by_label("标识域")).to_be_hidden()
    expect(page.get_by_label("号码", exact=True)).to_be_hidden()
    page.get_by_label("姓名", exact=True).fill("电子健康卡")
    page.get_by_label("联系电话").fill("13900139000")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("没有符合条件的人员。")).to_be_visible()


def test_charts_are_drawn(page: Page) -> None:
    sign_in(page, Role.SYSTEM)
    page.get_by_role("link", name="用卡统计").first.click()
    expect(page.get_by_text("用卡总次数").locator("xpath=..")).to_contain_text("8")
    for label in ("每日用卡次数", "各时段用卡次数"):
        drawn = page.get_by_role("img", name=label).locator("rect:not(.point)").last.bounding_box()
        assert drawn is not None
        assert drawn["height"] > 10
    bar = page.get_by_role("row", name="市第一人民医院").locator("rect").bounding_box()
    assert bar is not None
    assert bar["width"] > 100
    page.get_by_text("查看数据").first.click()
    expect(page.get_by_role("columnheader", name="已服务")).to_be_visible()


def test_a_terminal_is_disabled_and_enabled(page: Page) -> None:
    sign_in(page, Role.SYSTEM)
    page.get_by_role("link", name="医疗机构").first.click()
    page.get_by_role("link", name="市第一人民医院").click()
    page.get_by_role("button", name="停用 T-01").click()
    expect(page.get_by_role("row", name="T-01")).to_contain_text("已停用")
    page.get_by_role("button", name="启用 T-01").click()
    expect(page.get_by_role("row", name="T-01")).to_contain_text("使用中")


def test_health_asks_every_part(page: Page) -> None:
    sign_in(page, Role.SYSTEM)
    page.get_by_role("link", name="运行状况").first.click()
    expect(page.get_by_role("status")).to_have_text("各部分运行正常。")
    expect(page.get_by_text("Redis", exact=True)).to_be_visible()


def test_signing_out_leaves_nothing_behind(page: Page) -> None:
    sign_in(page, Role.SECURITY)
    find_the_person(page)
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")  # nothing was kept


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    page.goto("/console")
    page.keyboard.type(NAMES[Role.AUDIT])  # the name has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("工作台")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到主要内容")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("用卡统计")


@pytest.mark.parametrize("role", list(Role))
def test_no_page_is_wider_than_the_screen(page: Page, role: Role) -> None:
    sign_in(page, role)
    for path in PAGES[role]:
        page.goto(f"/console/{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over == 0, (path, width)


def test_a_printed_code_has_its_symbol_and_none_of_the_frame(page: Page) -> None:
    sign_in(page, Role.SECURITY)
    find_the_person(page)
    page.get_by_role("button", name="签发静态码").click()
    page.emulate_media(media="print")
    for hidden in ("nav", ".tools", "button"):
        expect(page.locator(hidden).first).to_be_hidden()
    box = page.locator(".symbol").bounding_box()
    assert box is not None
    assert 220 < box["width"] < 235  # 60 mm
