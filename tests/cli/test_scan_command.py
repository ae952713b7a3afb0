"""`ehc scan` as a clerk or a script runs it: real pictures, a real keyring, a real service."""

import json
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
import segno
from PIL import Image

from ehc.cli import main as command_line
from ehc.cli.serve import running_service
from ehc.config import Settings
from ehc.crypto import make_token
from ehc.keys.keyring import Keyring, Purpose
from ehc.reader import camera
from ehc.reader.degrade import code_image, photograph
from ehc.reader.sources import Frame
from ehc.wiring.keys import keyring_folder

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
OTHER_CARD = "837C825FE117BE7F9031F42030F7AD7FAAFD2E334C4B28BCF1A9E31168FCEA6B"
PROTECTION = "11223344556677888877665544332211"
STATIC = f"{CARD}:1"
PAYMENT_CODE = "134567890123456789"
URL = "https://example.org/menu"


def code(text):
    return code_image(segno.make_qr(text, error="m").matrix)


def dynamic(seconds):
    return f"{CARD}:0:{make_token(int(time.time()) + seconds, bytes.fromhex(PROTECTION))}"


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    """A folder of one's own and no settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EHC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("EHC_KEYRING", raising=False)
    return tmp_path


@pytest.fixture
def keyring(desk):
    with Keyring() as made:
        made.add(Purpose.SECURITY_KEY, bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"), 0)
        made.add(Purpose.PROTECTION_KEY, bytearray.fromhex(PROTECTION), 0)
        keyring_folder(Settings(home=str(desk / "home"))).create(made)
    return desk / "home" / "keyring"


@pytest.fixture
def scan(monkeypatch, capsys):
    """scan(*arguments) -> exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ehc", "scan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        shown = capsys.readouterr()
        return ended.value.code or 0, shown.out, shown.err

    return run


def photo(name, text, seed=1):
    Image.fromarray(photograph(code(text), seed=seed)).save(name)


def test_a_static_code_is_taken_apart(scan):
    photo("static.jpg", STATIC)
    status, shown, errors = scan("static.jpg")
    assert (status, errors) == (0, "")
    assert "static.jpg: electronic health card (电子健康卡), static code (静态码)" in shown
    assert f"card id      {CARD}" in shown
    assert "not checked" in shown


def test_a_dynamic_code_is_taken_apart(scan):
    text = dynamic(300)
    photo("dynamic.png", text)
    status, shown, _ = scan("dynamic.png")
    assert status == 0
    assert "dynamic code (动态码)" in shown
    assert f"token        {text[-32:]}" in shown


def test_prefix_and_organisation_are_shown(scan):
    photo("sichuan.png", f"85:{CARD}:1::ORG-7")
    _, shown, _ = scan("sichuan.png")
    assert "organisation ORG-7" in shown
    assert "prefix       85" in shown


def test_json_is_one_object_a_line_with_everything(scan):
    photo("a.png", STATIC)
    photo("b.png", URL)
    (status, shown, _) = scan("--json", "a.png", "b.png", "c.png")
    card, foreign, missing = map(json.loads, shown.splitlines())
    assert status == 3
    assert (card["found"], card["accepted"], card["payload"], card["kind"]) == ("health_card", True, STATIC, "static")
    assert (card["card_id"], card["token"], card["verdict"], card["format"]) == (CARD, None, None, "QR Code")
    assert len(card["corners"]) == 4
    assert (foreign["found"], foreign["accepted"]) == ("foreign", False)
    assert foreign["others"][0]["what"] == "a URL (网址)"
    assert missing == {"file": "c.png", "found": "unreadable", "accepted": False, "others": []} | {
        "error": "c.png: No such file or directory"
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (URL, "a URL (网址)"),
        (PAYMENT_CODE, "a WeChat payment code (微信付款码)"),
        ("282345678901234567", "an Alipay payment code (支付宝付款码)"),
        ("some other text", "some other text"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_another_code_is_named_and_its_content_kept_back(scan, text, named, form):
    photo("foreign.png", text)
    status, shown, errors = scan("foreign.png", *(["--json"] if form == "json" else []))
    assert status == 3
    assert named in shown
    if text != named:
        assert text not in shown + errors


def test_a_bad_file_does_not_stop_the_others(scan, desk):
    (desk / "empty.png").write_bytes(b"")
    (desk / "note.png").write_text("call back at noon")
    Image.new("L", (300, 300), 128).save("grey.png")
    photo("good.png", STATIC)
    status, shown, errors = scan("empty.png", "note.png", "missing.png", desk, "grey.png", "good.png")
    assert (status, errors) == (3, "")
    assert "empty.png: unreadable: the file is empty" in shown
    assert "note.png: unreadable: not an image" in shown
    assert "missing.png: unreadable: No such file" in shown
    assert "unreadable: Is a directory" in shown
    assert "grey.png: no code found" in shown
    assert "good.png: electronic health card" in shown


def test_two_people_in_one_picture_are_not_taken(scan):
    both = np.hstack([np.pad(code(text), 20, constant_values=255) for text in (STATIC, f"{OTHER_CARD}:1")])
    Image.fromarray(both).save("both.png")
    status, shown, _ = scan("both.png")
    assert status == 3
    assert "more than one person" in shown
    assert CARD not in shown


def test_a_code_beside_the_card_is_named(scan):
    both = np.hstack(
        [np.pad(code(text), ((0, 300 - code(text).shape[0]), (0, 40)), constant_values=255) for text in (STATIC, URL)]
    )
    Image.fromarray(both).save("both.png")
    status, shown, _ = scan("both.png")
    assert status == 0
    assert "beside it    a URL (网址) in a QR Code symbol" in shown


def test_a_picture_on_stdin_is_read(desk):
    photo("good.png", STATIC)
    command = [sys.executable, "-m", "ehc.cli", "scan", "-"]
    with (desk / "good.png").open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("stdin: electronic health card")


@pytest.mark.parametrize("way", ["--check", "--keyring", "EHC_KEYRING"])
def test_the_keyring_accepts_its_own_code_and_says_until_when(scan, keyring, monkeypatch, way):
    photo("dynamic.png", dynamic(300))
    options = {"--check": ["--check"], "--keyring": ["--keyring", keyring]}.get(way, [])
    if way == "EHC_KEYRING":
        monkeypatch.setenv(way, str(keyring))
    status, shown, _ = scan("dynamic.png", *options)
    assert status == 0
    assert "verdict      accepted" in shown
    assert "valid until  20" in shown


def test_no_check_means_none_even_where_a_keyring_is_set(scan, keyring, monkeypatch):
    monkeypatch.setenv("EHC_KEYRING", str(keyring))
    photo("dynamic.png", dynamic(-9999))
    status, shown, _ = scan("dynamic.png", "--no-check")
    assert status == 0
    assert "not checked" in shown


def test_the_keyring_refuses_an_old_a_forged_and_a_static_code(scan, keyring):
    photo("old.png", dynamic(-1000))
    photo("forged.png", f"{CARD}:0:{make_token(int(time.time()) + 60, bytes(16))}")
    photo("static.png", STATIC)
    status, shown, _ = scan("--keyring", keyring, "old.png", "forged.png", "static.png")
    assert status == 4
    assert "refused at step 5: expired" in shown
    assert "refused at step 4: forged" in shown
    assert "refused at step 4: no_token" in shown


def test_a_keyring_that_is_not_there_stops_before_the_first_picture(scan, desk):
    photo("good.png", STATIC)
    status, shown, errors = scan("--keyring", desk / "nowhere", "good.png")
    assert (status, shown) == (5, "")
    assert "nowhere" in errors


def test_the_service_decides_by_scene_and_takes_a_code_once(scan, keyring, desk):
    with running_service(Settings(home=str(desk / "home"))) as url:
        httpx.post(f"{url}/v1/cards", json=SAMPLE).raise_for_status()
        for kind in ("static", "dynamic"):
            answer = httpx.post(f"{url}/v1/codes", json={"card_id": CARD, "kind": kind})
            photo(f"{kind}.png", answer.json()["payload"], seed=4)
        status, shown, _ = scan("--service", url, "--scene", "010101", "static.png", "dynamic.png")
        assert status == 0
        assert shown.count("verdict      accepted") == 2
        assert "name         ****卡" in shown
        status, shown, _ = scan("--service", url, "--scene", "010105", "--json", "static.png", "dynamic.png")
        assert status == 4
        static, used = map(json.loads, shown.splitlines())
        assert (static["verdict"]["reason"], static["verdict"]["step"]) == ("scene", 7)
        assert used["verdict"]["accepted"]
        status, shown, _ = scan("--service", url, "--scene", "010105", "--terminal", "window-3", "dynamic.png")
        assert status == 4
        assert "refused at step 8: replayed" in shown
        status, shown, errors = scan("--service", url, "--scene", "registration", "dynamic.png")
        assert (status, shown) == (3, "")
        assert "HTTP 422" in errors


def test_a_service_that_is_not_there_is_said_with_its_own_exit_code(scan):
    photo("good.png", STATIC)
    status, _, errors = scan("--service", "http://127.0.0.1:9", "--scene", "010101", "good.png")
    assert status == 8
    assert "service 127.0.0.1: no answer" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a picture"),
        (("--camera", "/dev/video0", "/dev/video1"), "one device"),
        (("--service", "http://h", "a.png"), "--scene"),
        (("--scene", "010101", "a.png"), "--service"),
        (("--service", "http://h", "--scene", "010101", "--check", "a.png"), "one of them"),
        (("--service", "h:80", "--scene", "010101", "a.png"), "http://"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_read(scan, arguments, message):
    status, shown, errors = scan(*arguments)
    assert status in (2, 6)
    assert shown == ""
    assert message in errors


class Recorded:
    """A camera that has been recorded: the same interface, frames from a list."""

    frames = ()

    def __init__(self, device):
        self.device = device

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __iter__(self):
        return iter(self.frames)


def test_a_camera_is_watched_until_it_sees_a_health_card(scan, monkeypatch):
    wrong, right = (Frame.of(photograph(code(text), seed=2), "/dev/video7") for text in (URL, STATIC))
    nothing = Frame.of(np.full((480, 640), 90, np.uint8), "/dev/video7")
    monkeypatch.setattr(Recorded, "frames", (nothing, wrong, wrong, nothing, right, wrong))
    monkeypatch.setattr(camera, "Camera", Recorded)
    monkeypatch.setattr("ehc.cli.scan.CAMERA_BUDGET_MS", 60_000.0)  # this machine may be slow
    status, shown, errors = scan("--camera", "/dev/video7")
    assert status == 0
    assert shown.startswith("/dev/video7: electronic health card")
    assert errors.count("a URL (网址)") == 1


def test_help_teaches(scan):
    status, shown, _ = scan("--help")
    assert status == 0
    for taught in ("Exit code", "ehc scan photo.jpg", "ehc scan --service", "payment codes are"):
        assert taught in shown
