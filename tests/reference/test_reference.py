"""The reference against the standards, the domain's vectors and OpenSSL; everything else is held against it."""

import random
from datetime import datetime

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from reference import derivation, payload, sm3, sm4, validity
from vectors import load

hexed = bytes.fromhex
FOREIGN = {
    "url": "URL",
    "wechat": "WeChat",
    "alipay": "Alipay",
    "unionpay": "UnionPay",
    "insurance": "insurance",
    "resident id": "resident id",
}


@pytest.mark.parametrize("case", [c for c in load("sm3")["case"] if c.get("times", 1) < 1000], ids=lambda c: c["name"])
def test_sm3_gives_the_standards_answers(case):
    assert sm3.sm3(hexed(case["message"]) * case.get("times", 1)) == hexed(case["digest"])


@pytest.mark.parametrize("case", load("hmac_sm3")["case"], ids=lambda c: c["name"])
def test_hmac_sm3_gives_the_standards_answers(case):
    mac = sm3.hmac_sm3(hexed(case["key"]) * case.get("key_times", 1), case["text"].encode()) if "text" in case else None
    mac = mac or sm3.hmac_sm3(hexed(case["key"]), hexed(case["message"]))
    assert mac[: len(hexed(case["mac"]))] == hexed(case["mac"])


@pytest.mark.parametrize("case", [c for c in load("sm4")["case"] if c["times"] == 1], ids=lambda c: c["name"])
def test_sm4_gives_the_standards_answers(case):
    assert sm4.ecb_encrypt(hexed(case["key"]), hexed(case["plain"])) == hexed(case["cipher"])
    assert sm4.ecb_decrypt(hexed(case["key"]), hexed(case["cipher"])) == hexed(case["plain"])


@pytest.mark.parametrize("case", load("identifiers")["case"], ids=lambda c: c["name"])
def test_derivation_gives_the_domains_answers(case):
    card = derivation.derive(*case["person"], hexed(load("identifiers")["security_key"]))
    for field in ("mindex", "factor", "user_key", "card_id"):
        assert field not in case or getattr(card, field) == hexed(case[field])


def test_sm3_and_hmac_agree_with_openssl():
    draw = random.Random(1)
    for length in (*range(60, 66), 119, 120, 121, 200):
        message, key = draw.randbytes(length), draw.randbytes(length)
        digest, mac = hashes.Hash(hashes.SM3()), hmac.HMAC(key, hashes.SM3())
        digest.update(message)
        mac.update(message)
        assert sm3.sm3(message) == digest.finalize()
        assert sm3.hmac_sm3(key, message) == mac.finalize()


def test_sm4_agrees_with_openssl():
    draw = random.Random(2)
    for blocks in range(5):
        key, data = draw.randbytes(16), draw.randbytes(16 * blocks)
        peer = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
        assert sm4.ecb_encrypt(key, data) == peer.update(data) + peer.finalize()
        assert sm4.ecb_decrypt(key, sm4.ecb_encrypt(key, data)) == data


def test_the_token_of_the_domain_is_made_and_checked():
    vectors = load("tokens_n")
    key = hexed(vectors["protection_key"])
    for case in vectors["case"]:
        time = int(case["time"].timestamp())
        assert validity.plain_block(time) == hexed(case["plain"])
        assert validity.make_token(time, key) == case["token"]
        text = b"0" * 64 + b":0:" + case["token"].encode()
        at_the_end = validity.Window(now=time, tolerance=0, validity=None, issue=False)
        assert validity.check_token(text, key, at_the_end).reason == "accepted"
        assert validity.check_token(text, key, at_the_end._replace(now=time + 1)).reason == "expired"
        assert validity.check_token(text, bytes(16), at_the_end).reason == "forged"


def test_times_agree_with_datetime():
    draw = random.Random(3)
    for _ in range(300):
        time = draw.randrange(-62_135_596_800, 253_402_271_999)  # year 1 to 9999
        block = validity.plain_block(time)
        assert datetime.strptime(block[:7].hex() + "+0800", "%Y%m%d%H%M%S%z").timestamp() == time
        assert validity.read_block(block) == time


def test_year_zero_is_a_leap_year_and_year_ten_thousand_does_not_exist():
    first = validity.day_number(0, 1, 1) * 86400 - validity.CST
    assert validity.plain_block(first) == hexed("00000101000000") + bytes(9)
    assert validity.plain_block(first - 1) is None
    assert validity.read_block(hexed("00000229000000") + bytes(9)) == first + 59 * 86400
    last = validity.day_number(9999, 12, 31) * 86400 + 86399 - validity.CST
    assert validity.plain_block(last)[:7] == hexed("99991231235959")
    assert validity.plain_block(last + 1) is None


@pytest.mark.parametrize("case", load("payloads")["payload"], ids=lambda c: c["name"])
def test_every_form_of_the_field_is_parsed(case):
    assert payload.parse(case["text"].encode()) == payload.Parsed(
        case["card_id"], case.get("flag"), case.get("token"), case.get("organisation"), case.get("prefix")
    )


@pytest.mark.parametrize("case", load("payloads")["foreign"], ids=lambda c: c["text"])
def test_texts_of_other_systems_are_named(case):
    refusal = payload.parse(case["text"].encode())
    assert refusal.reason == "foreign"
    assert FOREIGN[refusal.kind] in case["found"]


@pytest.mark.parametrize("case", load("payloads")["refused"], ids=lambda c: c["text"])
def test_refusals_say_where(case):
    refusal = payload.parse(case["text"].encode())
    assert (refusal.reason, refusal.offset) == (case["reason"], case["offset"])
