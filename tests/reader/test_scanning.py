"""From frames to verdicts: the right code is taken, and what a check says arrives."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import segno
from servers import serving

from ehc.crypto import KeyHandle, Window, make_token
from ehc.errors import ConfigError, InputError, Unavailable
from ehc.machine.software import SoftwareMachine
from ehc.reader.degrade import code_image, photograph
from ehc.reader.payloads import SENTENCES, What, read_payload
from ehc.reader.pipeline import Reader
from ehc.reader.scanning import Duplicates, KeyringCheck, Kind, Outcome, Scanner, ServiceCheck
from ehc.reader.sources import Frame

CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
OTHER_CARD = "837C825FE117BE7F9031F42030F7AD7FAAFD2E334C4B28BCF1A9E31168FCEA6B"
PROTECTION = bytes.fromhex("11223344556677888877665544332211")
NOW = 1_767_225_600
STATIC = f"{CARD}:1"


def dynamic(expiry=NOW + 300, key=PROTECTION):
    return f"{CARD}:0:{make_token(expiry, key)}"


def code(text):
    return code_image(segno.make_qr(text, error="m").matrix)


def frame(*texts):
    """Codes side by side on white paper."""
    images = [code(text) for text in texts]
    sheet = np.full((400, 50 + sum(image.shape[1] + 50 for image in images)), 255, np.uint8)
    x = 50
    for image in images:
        sheet[50 : 50 + image.shape[0], x : x + image.shape[1]] = image
        x += image.shape[1] + 50
    return Frame.of(sheet, "desk")


@pytest.fixture
def checker():
    machine = SoftwareMachine(KeyHandle(bytes(range(16)), "security_key"), KeyHandle(PROTECTION, "protection_key"), [])
    return KeyringCheck(machine, lambda: NOW, Window(tolerance=60, validity=300))


def scan(*texts, check=None):
    return Scanner(Reader(tracking=False), check).frame(frame(*texts))


def test_a_health_card_without_a_check_is_accepted_as_far_as_it_goes():
    found = scan(STATIC)
    assert (found.kind, found.outcome, found.accepted) == (Kind.HEALTH_CARD, None, True)
    assert found.reading.payload == STATIC


def test_the_keyring_accepts_a_code_made_under_its_key_and_says_until_when(checker):
    found = Scanner(Reader(), checker).frame(Frame.of(photograph(code(dynamic()), seed=3)))
    assert found.accepted
    assert (found.outcome.reason, found.outcome.step) == ("accepted", 0)
    assert found.outcome.expires_at.timestamp() == NOW + 300


@pytest.mark.parametrize(
    ("payload", "reason", "step"),
    [
        (dynamic(NOW - 61), "expired", 5),
        (dynamic(NOW + 1000), "early", 5),
        (dynamic(key=bytes(16)), "forged", 4),
        (STATIC, "no_token", 4),
    ],
)
def test_the_keyring_refuses_with_reason_and_step(checker, payload, reason, step):
    found = scan(payload, check=checker)
    assert found.kind is Kind.HEALTH_CARD
    assert not found.accepted
    assert (found.outcome.reason, found.outcome.step) == (reason, step)
    assert found.outcome.detail


def test_of_a_static_and_a_dynamic_code_of_one_card_the_dynamic_one_is_checked(checker):
    found = scan(STATIC, dynamic(), check=checker)
    assert found.accepted
    assert [other.payload for other in found.others] == [STATIC]


def test_health_cards_of_two_people_are_not_taken_and_not_checked():
    def never(payload):
        raise AssertionError("checked")

    found = scan(STATIC, f"{OTHER_CARD}:1", check=never)
    assert (found.kind, found.reading, found.accepted) == (Kind.SEVERAL, None, False)
    assert len(found.others) == 2


def test_a_foreign_code_is_named_and_not_checked():
    def never(payload):
        raise AssertionError("checked")

    found = scan("https://example.org", check=never)
    assert (found.kind, found.accepted) == (Kind.FOREIGN, False)
    assert found.others[0].found == "a URL (网址)"


COMPACT = "EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME"


def test_a_compact_code_is_a_health_card_and_is_checked():
    found = scan(COMPACT, "https://example.org", check=lambda payload: Outcome(payload == COMPACT, "accepted"))
    assert (found.kind, found.accepted, found.reading.payload) == (Kind.HEALTH_CARD, True, COMPACT)
    assert [other.found for other in found.others] == ["a URL (网址)"]


@pytest.mark.parametrize(
    ("text", "what", "says"),
    [
        ("134567890123456789", What.WECHAT_PAY, "微信付款码"),
        ("281234567890123456", What.ALIPAY, "支付宝付款码"),
        ("6212345678901234567", What.UNIONPAY, "银联付款码"),
        ("1234567890123456789012345678", What.INSURANCE, "医保电子凭证"),
        ("11010020171225006X", What.RESIDENT_ID, "身份证号"),
        ("https://example.org", What.URL, "网址"),
        ("81234567890123456789", What.MEDICINE, "药品追溯码"),
        ("H00123456", What.HOSPITAL_CARD, "就诊卡"),
        (CARD[:50], What.DAMAGED, "不完整"),
        ("EHC2:5A4:JE57", What.DAMAGED, "不完整"),
        ("EHC3:5A4:JE57", What.DAMAGED, "不完整"),
        ("会诊单 17", What.OTHER, "不是电子健康卡"),
    ],
)
def test_the_clerk_is_told_what_was_shown_in_both_languages_and_never_its_content(text, what, says):
    found = scan(text)
    assert read_payload(text).what is what
    assert says in found.sentence.zh
    assert text[:8] not in found.sentence.zh + found.sentence.en
    assert found.sentence.en.isascii()


def test_bar_codes_are_told_by_their_symbology():
    assert read_payload("6901234567892", "EAN-13").what is What.PRODUCT
    assert read_payload("6901234567892", "Code 128").what is What.HOSPITAL_CARD
    assert read_payload("12345678").what is What.HOSPITAL_CARD


def test_whatever_the_core_can_say_of_a_foreign_text_has_a_name():
    from ehc.crypto.token import _KINDS
    from ehc.reader.payloads import NAMES

    assert set(_KINDS.values()) <= set(NAMES.values())
    assert set(SENTENCES) == set(NAMES) == set(What)


def test_a_code_that_stays_is_one_scan_and_a_later_one_another():
    seen = Duplicates(3)
    assert [seen.again(STATIC, at) for at in (0, 1, 3.9, 6.8, 9.9)] == [False, True, True, True, False]
    assert seen.again(STATIC.lower() + "\r", 10)
    assert not seen.again(dynamic(), 10)


def test_no_code_is_nothing():
    assert scan().kind is Kind.NOTHING


def test_a_file_that_is_no_picture_is_unreadable_with_its_reason(tmp_path):
    (tmp_path / "note.png").write_text("call back at noon")
    found = Scanner(Reader()).file(tmp_path / "note.png")
    assert (found.kind, found.accepted) == (Kind.UNREADABLE, False)
    assert "not an image" in found.error
    assert "noon" not in found.error


class Answer(BaseHTTPRequestHandler):
    """A server that answers what the test wants, as a proxy or another product would."""

    def do_POST(self):
        self.server.seen.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with serving(HTTPServer(("127.0.0.1", 0), Answer)) as http:
        http.seen = []
        yield http


@pytest.fixture
def online(server):
    check = ServiceCheck(f"http://127.0.0.1:{server.server_port}/", "010101", "window-3")
    yield check
    check.close()


def test_a_service_is_asked_with_payload_scene_and_terminal(server, online):
    server.answer = (200, b'{"accepted": true, "reason": "accepted", "step": 0, "name": "****\xe5\x8d\xa1", "more": 1}')
    outcome = online(STATIC)
    assert server.seen == [("/v1/verify", {"payload": STATIC, "scene": "010101", "terminal": "window-3"})]
    assert (outcome.accepted, outcome.name) == (True, "****卡")


def test_a_refusal_that_the_service_does_not_explain_has_no_step(server, online):
    server.answer = (200, b'{"accepted": false, "reason": "invalid", "step": null, "detail": "ask for a new one"}')
    outcome = online(STATIC)
    assert (outcome.accepted, outcome.reason, outcome.step) == (False, "invalid", None)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((422, b'{"title": "Refused", "detail": "scene: six digits"}'), InputError, "HTTP 422: scene: six digits"),
        ((503, b'{"title": "Down", "detail": ""}'), Unavailable, "HTTP 503: Down"),
        ((200, b"<html>a captive portal</html>"), Unavailable, "not the answer of /v1/verify"),
        ((200, b'{"reason": "accepted"}'), Unavailable, "not the answer"),
        ((200, b'{"accepted": "yes", "reason": "accepted"}'), Unavailable, "not the answer"),
        ((502, b""), Unavailable, "HTTP 502"),
        ((302, b"{}"), Unavailable, "HTTP 302"),
    ],
)
def test_anything_but_an_answer_is_an_error_and_never_an_acceptance(server, online, answer, error, message):
    server.answer = answer
    with pytest.raises(error, match=message) as caught:
        online(STATIC)
    assert CARD not in str(caught.value)


def test_a_service_that_is_not_there_is_unavailable():
    check = ServiceCheck("http://127.0.0.1:9", "010101")
    with pytest.raises(Unavailable, match=r"service 127\.0\.0\.1: no answer"):
        check(STATIC)
    check.close()


@pytest.mark.parametrize("url", ["127.0.0.1:8480", "ftp://host", "", "http://a b:x", "http://"])
def test_a_service_needs_a_web_address(url):
    with pytest.raises(ConfigError, match="http://"):
        ServiceCheck(url, "010101")
