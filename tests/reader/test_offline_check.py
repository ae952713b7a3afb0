"""Signed codes where there is no network: accepted by the issuer's list, kept before anybody is told."""

import time

import pytest
import segno
from PIL import Image
from signed_lists import CONSULTATION, PAYMENT, PUBLIC, code, offline_list, signed_list
from typer.testing import CliRunner

from ehc.cli.main import app
from ehc.crypto.sm2 import PrivateKey
from ehc.errors import ConfigError, FileError, InputError, Unavailable
from ehc.reader.degrade import code_image
from ehc.reader.offline import OfflineCheck, read_keys, read_list
from ehc.store.outbox import Outbox

NOW = 1_767_225_600
STATIC = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"


def check(scene=CONSULTATION, now=NOW, **options):
    return OfflineCheck(offline_list(NOW), scene, lambda: now, **options)


def test_a_signed_code_is_accepted_and_says_until_when():
    outcome = check()(code(NOW))
    assert (outcome.accepted, outcome.reason, outcome.step) == (True, "accepted", 0)
    assert outcome.expires_at.timestamp() == NOW + 300


@pytest.mark.parametrize(
    ("payload", "now", "reason"),
    [
        (code(NOW, signer=PrivateKey(bytes(range(2, 34)))), NOW, "forged"),
        (code(NOW), NOW + 361, "expired"),
        (code(NOW), NOW - 3600, "early"),  # a clock an hour behind
        (code(NOW), NOW + 3600, "expired"),  # or ahead
    ],
)
def test_a_refusal_has_its_reason(payload, now, reason):
    outcome = check(now=now)(payload)
    assert (outcome.accepted, outcome.reason) == (False, reason)
    assert outcome.detail


@pytest.mark.parametrize("payload", [STATIC, "https://example.org", "EHC2:5A4:JE57"])
def test_what_needs_the_service_is_never_accepted_nor_refused(payload):
    with pytest.raises(Unavailable, match="needs the service"):
        check()(payload)


def test_a_list_that_is_over_accepts_nothing():
    with pytest.raises(Unavailable, match="over"):
        check(now=NOW + 86_461)(code(NOW + 86_400))


def test_a_scene_that_the_list_does_not_have_is_refused_before_any_code():
    with pytest.raises(ConfigError, match="010101"):
        check("010101")
    with pytest.raises(ConfigError, match="--queue"):
        check(PAYMENT)


def test_a_code_that_serves_once_is_kept_before_it_is_accepted_and_refused_after_a_restart(tmp_path):
    outbox = Outbox(tmp_path / "queue.db", b"a terminal's key")

    def keep(payload, verdict, now):
        outbox.put("/v1/verify/batch", payload.encode(), now, (verdict.serial_name, NOW + 600))

    once = check(PAYMENT, keep=keep)
    assert once(code(NOW)).accepted
    assert once(code(NOW)).reason == "replayed"
    outbox.close()
    outbox = Outbox(tmp_path / "queue.db", b"a terminal's key")
    assert outbox.counts().waiting == 1
    again = check(PAYMENT, keep=keep, taken=outbox.marks(NOW))
    assert again(code(NOW)).reason == "replayed"
    assert again(code(NOW, serial=2)).accepted
    assert outbox.marks(NOW + 601) == set()
    outbox.close()


def test_what_cannot_be_kept_is_not_accepted_and_may_come_again():
    full = [True]

    def keep(payload, verdict, now):
        if full:
            raise Unavailable("the queue cannot be written: disk full")

    once = check(PAYMENT, keep=keep)
    with pytest.raises(Unavailable, match="disk full"):
        once(code(NOW))
    full.clear()
    assert once(code(NOW)).accepted


def test_the_command_checks_a_picture_by_a_list(tmp_path):
    now = int(time.time())
    (tmp_path / "list.json").write_bytes(signed_list(now))
    (tmp_path / "issuer.hex").write_text(PUBLIC.hex() + "\n")
    Image.fromarray(code_image(segno.make_qr(code(now), error="m").matrix)).save(tmp_path / "code.png")
    words = ["scan", str(tmp_path / "code.png"), "--offline", str(tmp_path / "list.json")]
    words += ["--trust", str(tmp_path / "issuer.hex"), "--scene"]
    done = CliRunner().invoke(app, [*words, CONSULTATION], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "accepted" in done.output
    assert "signed dynamic code" in done.output
    with pytest.raises(ConfigError, match="serves once"):
        CliRunner().invoke(app, [*words, PAYMENT], catch_exceptions=False)


def test_a_list_or_a_key_that_is_none_is_named(tmp_path):
    (tmp_path / "list.json").write_bytes(signed_list(NOW))
    (tmp_path / "other.hex").write_text(bytes(PrivateKey.generate().public_key).hex())
    assert read_list(tmp_path / "list.json", [PUBLIC]).issuer == 440100
    with pytest.raises(InputError, match="no key that this terminal trusts"):
        read_list(tmp_path / "list.json", read_keys(tmp_path / "other.hex"))
    (tmp_path / "list.json").write_text("{}")
    with pytest.raises(FileError, match="no offline list"):
        read_list(tmp_path / "list.json", [PUBLIC])
    for text in ("", "abc", "xy" * 64):
        (tmp_path / "other.hex").write_text(text)
        with pytest.raises(FileError, match="128 hex digits"):
            read_keys(tmp_path / "other.hex")
    with pytest.raises(FileError, match="No such file"):
        read_list(tmp_path / "none", [PUBLIC])
