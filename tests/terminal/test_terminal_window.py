"""`ehc reader run` in Chromium, as a clerk sees it: a camera of real codes, a real service, a scanner that types."""

import re
from collections.abc import Iterator

import browsers
import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from services import wait_for
from windows import CONSULTATION, PipeCamera, Running, new_code, reader_run, service_settings

from ehc.cli.serve import running_service

STATIC = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
CARD = "11" * 32 + ":1"
OTHER = "837C825FE117BE7F9031F42030F7AD7FAAFD2E334C4B28BCF1A9E31168FCEA6B:1"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_service(service_settings(tmp_path_factory.mktemp("service"))) as url:
        yield url


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> PipeCamera:
    return PipeCamera(tmp_path_factory.mktemp("camera"))


@pytest.fixture(scope="module")
def terminal(service: str, camera: PipeCamera) -> Iterator[Running]:
    place = ["--scene", CONSULTATION, "--institution", "H-1", "--terminal", "w1"]
    with reader_run("--source", str(camera.path), "--service", service, "--repeat", "1", *place) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, terminal: Running, camera: PipeCamera) -> Iterator[Page]:
    """The window's page before an empty desk; it complains of nothing."""
    camera.show(None)
    context = chromium.new_context(base_url=terminal.url, locale="zh-CN", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    said: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto("/")
    expect(opened.locator("#source")).to_have_attribute("data-state", "watching")
    yield opened
    context.close()
    assert said == []  # nothing of the policy, no script


def verdict(page: Page, word: str, sentence: str | re.Pattern[str] | None = None) -> None:
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", word, timeout=20_000)
    if sentence is not None:
        expect(page.locator("#sentence")).to_have_text(sentence)


def test_a_code_before_the_camera_is_accepted_and_the_next_person_wipes_the_last(
    page: Page, camera: PipeCamera, service: str
) -> None:
    verdict(page, "idle")
    expect(page.locator("#live")).to_be_visible()
    wait_for(lambda: page.locator("#live").evaluate("image => image.naturalWidth") == 640 or True)
    camera.show(new_code(service))
    verdict(page, "accepted")
    expect(page.locator("#word")).to_have_text("验证通过")
    expect(page.locator("#name")).to_have_text("****卡")
    expect(page.locator("#corners")).to_have_attribute("points", re.compile(r"0\.\d+,0\.\d+"))
    camera.show("134567890123456789")
    verdict(page, "foreign", re.compile("微信付款码"))
    expect(page.locator("#name")).to_have_text("")
    assert "1345" not in page.content()
    camera.show(OTHER)
    verdict(page, "refused", re.compile("查无此卡|此码无效"))
    expect(page.locator("#name")).to_have_text("")


def test_of_several_codes_the_health_card_is_taken_once_and_the_other_named(
    page: Page, camera: PipeCamera, terminal: Running
) -> None:
    insurance = "1234567890123456789012345678"
    camera.show_both(CARD, insurance)
    verdict(page, "refused")
    expect(page.locator("#more")).to_have_text("画面中还有 医保电子凭证")
    assert insurance[:10] not in page.content()
    number = httpx.get(f"{terminal.url}/api/next", params={"seconds": "1.5"}).status_code
    assert number == 204  # longer than --repeat: what stays before the camera is one scan


def test_a_page_that_comes_later_is_told_nothing_of_who_was_before(
    page: Page, camera: PipeCamera, service: str
) -> None:
    camera.show(new_code(service))
    verdict(page, "accepted")
    camera.show(None)
    page.reload()
    expect(page.locator("#service")).to_have_attribute("data-state", "there")
    verdict(page, "idle")
    expect(page.locator("#name")).to_have_text("")


def test_a_scanner_types_into_the_page(page: Page, service: str) -> None:
    code = new_code(service)
    page.keyboard.type(f"]Q1{code}\r")
    verdict(page, "accepted")
    expect(page.locator("#more")).to_contain_text("扫码枪设置需检查")
    page.keyboard.type("6901234567892")
    page.keyboard.press("Tab")
    verdict(page, "foreign", re.compile("商品条码"))


def test_english_and_sound_are_a_click_away(page: Page, camera: PipeCamera) -> None:
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Health card reader", use_inner_text=True)
    camera.show("https://example.org/a")
    verdict(page, "foreign", re.compile("web address"))
    page.get_by_role("button", name="Sound on").click()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#sentence")).to_contain_text("网址")


def test_a_camera_that_is_unplugged_is_said_and_comes_back(page: Page, camera: PipeCamera, service: str) -> None:
    camera.unplug()
    expect(page.locator("#source")).not_to_have_attribute("data-state", "watching")
    expect(page.locator("#live")).to_be_hidden()
    camera.plug()
    expect(page.locator("#source")).to_have_attribute("data-state", "watching")
    camera.show(new_code(service))
    verdict(page, "accepted")


def test_the_test_page_says_what_arrived_and_what_to_change(page: Page) -> None:
    page.get_by_role("link", name="扫码枪测试").click()
    expect(page.get_by_role("img")).to_be_visible()
    page.locator("#field").focus()
    scans = 0
    while scans < 3:  # a machine that stutters types with pauses, as no scanner does: then a clerk scans again
        scans += 1
        page.keyboard.type(STATIC)
        page.keyboard.press("Enter")
        expect(page.locator("#result")).to_have_attribute("data-verdict", re.compile("accepted|refused"))
        if page.locator("#result").get_attribute("data-verdict") == "accepted":
            break
    expect(page.locator("#result")).to_have_attribute("data-verdict", "accepted")
    expect(page.locator("#facts")).to_contain_text("66 个字符")
    assert page.locator("#keys tr").count() == scans * (len(STATIC) + 1)
    page.keyboard.type(STATIC[:64])
    page.keyboard.insert_text("\uff1a")
    page.keyboard.type(STATIC[65:])
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_have_attribute("data-verdict", "repaired")
    page.keyboard.type(STATIC[:30])
    expect(page.locator("#result")).to_have_attribute("data-verdict", "refused")
    expect(page.locator("#advice")).to_contain_text("后缀")


def test_no_page_is_wider_than_the_screen(page: Page) -> None:
    for path in ("/", "/test"):
        page.goto(path)
        for width, height in ((1280, 800), (800, 480)):
            page.set_viewport_size({"width": width, "height": height})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over == 0, (path, width)
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_hospital_software_is_told_without_a_page(terminal: Running, service: str) -> None:
    code = new_code(service)
    said = terminal.scan(code)
    assert (said["verdict"], said["by"], said["name"], said["payload"]) == ("accepted", "software", "****卡", code)
    assert httpx.post(f"{terminal.url}/api/scan", json={"payload": code}).status_code == 204  # the same scan
    assert terminal.scan("281234567890123456")["what"] == "alipay"
    assert httpx.post(f"{terminal.url}/api/scan", content=b"{").status_code == 422
    assert httpx.get(f"{terminal.url}/api/next", params={"seconds": "0.1"}).status_code == 204
    assert httpx.get(f"{terminal.url}/static/none").status_code == 404
    policy = httpx.get(f"{terminal.url}/").headers["content-security-policy"]
    assert "unsafe" not in policy


def test_frames_that_come_too_fast_are_dropped_and_counted(terminal: Running) -> None:
    status = terminal.status()
    assert (status["state"], status["service"], status["clock"]) == ("watching", "there", 0)
    assert int(str(status["frames"])) > 10


def test_nobody_s_data_is_in_the_log(terminal: Running) -> None:
    assert not any(STATIC[:10] in line or "卡" in line for line in terminal.log)
