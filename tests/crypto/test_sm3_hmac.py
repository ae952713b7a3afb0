"""SM3 and HMAC-SM3 through ehc.crypto, against the standards, the reference, OpenSSL and gmssl."""

import hashlib
import json
import random
from pathlib import Path

import gmssl.sm3
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from reference import sm3 as reference
from vectors import load

from ehc.crypto import constant_time_equal, hmac_sm3, sm3, sm3_lines, wipe

hexed = bytes.fromhex
EDGES = [0, 1, 31, 32, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 183, 184, 4095, 4096, 5000]


def openssl(message):
    digest = hashes.Hash(hashes.SM3())
    digest.update(message)
    return digest.finalize()


@pytest.mark.parametrize("case", load("sm3")["case"], ids=lambda c: c["name"])
def test_sm3_gives_the_standards_answers(case):
    assert sm3(hexed(case["message"]) * case.get("times", 1)) == hexed(case["digest"])


@pytest.mark.parametrize("case", load("hmac_sm3")["case"], ids=lambda c: c["name"])
def test_hmac_gives_the_standards_answers(case):
    message = case["text"].encode() if "text" in case else hexed(case["message"])
    mac = hmac_sm3(hexed(case["key"]) * case.get("key_times", 1), message)
    assert mac.hex().upper().startswith(case["mac"])
    assert case.get("prefix") or len(case["mac"]) == 64


@pytest.mark.parametrize("length", EDGES)
def test_sm3_agrees_with_its_peers_at_every_edge_of_a_block(length):
    message = random.Random(length).randbytes(length)
    assert sm3(message) == openssl(message) == reference.sm3(message)
    assert sm3(message).hex() == gmssl.sm3.sm3_hash(list(message))


def test_sm3_agrees_with_openssl_at_every_length_up_to_three_blocks():
    message = random.Random(1).randbytes(200)
    assert [sm3(message[:n]) for n in range(200)] == [openssl(message[:n]) for n in range(200)]


def test_lines_have_the_digest_of_each_with_its_newline():
    lines = ["id:" + "测" * (n % 70) + "\0" * (n % 3) + "\n" for n in range(300)]
    assert [bytes(one) for one in sm3_lines("".join(lines).encode())] == [openssl(one.encode()) for one in lines]
    assert sm3_lines(b"").shape == (0, 32)
    with pytest.raises(ValueError, match="line 1"):
        sm3_lines("abc\n测试\n".encode())
    with pytest.raises(ValueError, match="no newline"):
        sm3_lines(b"abc")


@pytest.mark.parametrize("key_length", [0, 1, 16, 63, 64, 65, 128, 200])
def test_hmac_agrees_with_its_peers(key_length):
    draw = random.Random(key_length)
    for length in (0, 1, 55, 56, 64, 200):
        key, message = draw.randbytes(key_length), draw.randbytes(length)
        peer = hmac.HMAC(key, hashes.SM3())
        peer.update(message)
        assert hmac_sm3(key, message) == peer.finalize() == reference.hmac_sm3(key, message)


def test_every_case_of_wycheproofs_hmac_sm3():
    """Tags of 16 bytes are the beginning of the whole one."""
    cases = json.loads((Path(__file__).parents[1] / "vectors/wycheproof/hmac_sm3.json").read_text("utf-8"))["tests"]
    assert len(cases) == 174
    for case in cases:
        key, message, tag = (bytes.fromhex(case[part]) for part in ("key", "msg", "tag"))
        assert (hmac_sm3(key, message)[: len(tag)] == tag) is (case["result"] == "valid"), case["tcId"]


@pytest.mark.parametrize("offset", [1, 3, 7, 15])
def test_any_contiguous_buffer_serves_aligned_or_not(offset):
    data = np.frombuffer(random.Random(offset).randbytes(300), np.uint8)
    expected = openssl(data[offset:].tobytes())
    for buffer in (data[offset:], memoryview(data.tobytes())[offset:], bytearray(data[offset:].tobytes())):
        assert sm3(buffer) == expected
        assert hmac_sm3(b"k", buffer) == reference.hmac_sm3(b"k", bytes(buffer))


@pytest.mark.parametrize("wrong", ["text", None, 5, np.zeros(4, np.uint16), np.zeros((2, 2), np.uint8)])
def test_what_is_no_row_of_bytes_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        sm3(wrong)
    with pytest.raises((TypeError, ValueError)):
        hmac_sm3(b"", wrong)


def test_the_signs_of_the_field_come_out():
    sign = load("signing")["sign"]
    signed = (sign["body"] + sign["key"]).encode()
    assert hashlib.md5(signed, usedforsecurity=False).hexdigest() == sign["md5"]
    assert sm3(signed).hex() == sign["sm3"]


def test_the_sdk_secret_of_the_field_comes_out():
    sdk = load("signing")["sdk"]
    assert sm3((sdk["app_id"] + sdk["system_key"]).encode()).hex().upper() == sdk["app_secret"]


def test_constant_time_equal_compares_content_and_length():
    assert constant_time_equal(b"", b"")
    assert not constant_time_equal(b"a", b"")
    for length in (1, 9, 32, 1000):
        same = random.Random(length).randbytes(length)
        assert constant_time_equal(same, bytes(bytearray(same)))
        for bit in range(8):
            for at in (0, length // 2, length - 1):
                other = bytearray(same)
                other[at] ^= 1 << bit
                assert not constant_time_equal(same, bytes(other))


def test_wipe_zeroes_a_writable_buffer_and_refuses_any_other():
    secret = bytearray(b"secret" * 10)
    wipe(memoryview(secret)[6:])
    assert secret == b"secret" + bytes(54)
    wipe(bytearray())
    with pytest.raises((BufferError, ValueError, TypeError)):
        wipe(b"secret")
