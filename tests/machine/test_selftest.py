"""The self-test finds each thing that is broken, names it, and a machine that fails does nothing."""

import dataclasses
import random

import pytest
from vectors import load

from ehc.crypto import Batch, Window
from ehc.crypto.host import answer_room
from ehc.errors import Unavailable
from ehc.keys.keyring import Keyring, Purpose
from ehc.machine.host_keys import HostKeys
from ehc.machine.random_tests import SAMPLE, TESTS, WatchedSource, chi_square_tail, failures
from ehc.machine.selftest import CIPHERS, KEYS, RANDOM, Core, SelfTest, self_test
from ehc.machine.software import SoftwareMachine

RIGHT = Core()


@pytest.fixture
def keyring():
    with Keyring() as made:
        for purpose in Purpose:
            made.add(purpose, bytearray(range(1, purpose.size + 1)), 1)
        yield made


def test_what_works_passes(keyring):
    report = self_test(keyring)
    assert report.failed == ""
    assert {check.chapter for check in report.checks} == {CIPHERS, RANDOM, KEYS}
    report.require()


def flipped(function):
    """The same function with one bit of its answer changed."""

    def wrong(*given):
        answer = function(*given)
        return bytes([answer[0] ^ 1]) + answer[1:] if isinstance(answer, bytes) else not answer

    return wrong


def raises(*_given):
    raise Unavailable("libcrypto is not there")


BROKEN = {
    "SM3": {"sm3": flipped(RIGHT.sm3)},
    "HMAC-SM3": {"hmac_sm3": flipped(RIGHT.hmac_sm3)},
    "SM4-ECB encrypt": {"sm4_encrypt": flipped(RIGHT.sm4_encrypt)},
    "SM4-ECB decrypt": {"sm4_decrypt": flipped(RIGHT.sm4_decrypt)},
    "SM4-GCM": {"sm4_gcm": flipped(RIGHT.sm4_gcm)},
    "derivation": {"derive": lambda key, n: RIGHT.derive(key, n)[:-1] + ["0" * 64] * (n == 17)},
    "validity token": {"seal_validity": lambda time, key: RIGHT.seal_validity(time + 1, key)},
    "SM2 verify": {"sm2_verifies": flipped(RIGHT.sm2_verifies)},
    "SM2 sign, encrypt, decrypt": {"sm2_signs": raises},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_cipher_is_named_alone(keyring, name):
    report = self_test(keyring, dataclasses.replace(RIGHT, **BROKEN[name]))
    assert [check.name for check in report.checks if check.wrong] == [name]
    with pytest.raises(Unavailable, match=f"self-test {name}"):
        report.require()


def test_every_cipher_check_has_a_test_that_breaks_it(keyring):
    assert [check.name for check in self_test(keyring).checks if check.chapter == CIPHERS] == list(BROKEN)


def biased(n):
    source = random.Random(7)
    bits = [source.random() < 0.51 for _ in range(8 * n)]
    return int("".join("01"[bit] for bit in bits), 2).to_bytes(n, "big")


def counter(n):
    return bytes(i % 256 for i in range(n))


def same_block(n):
    return (random.Random(3).randbytes(1000) * (n // 1000 + 1))[:n]


SOURCES = {
    "all zeros": (bytes, {"monobit", "poker", "runs", "longest run"}),
    "all ones": (lambda n: b"\xff" * n, {"monobit", "poker", "runs", "longest run"}),
    "alternating": (lambda n: b"\x55" * n, {"poker", "runs", "longest run"}),
    "a counter": (counter, {"longest run"}),
    "one block again and again": (same_block, {"longest run"}),
    "biased by one in a hundred": (biased, {"monobit"}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_bad_source_fails_the_tests_that_see_it(name):
    source, expected = SOURCES[name]
    assert expected <= {wrong.partition(" (")[0] for wrong in failures(source)}


def test_good_randomness_passes():
    good = random.Random(1)
    assert failures(good.randbytes) == []
    assert set(TESTS) == {"monobit", "poker", "runs", "longest run"}
    assert len(good.randbytes(SAMPLE)) * 8 >= 1_000_000


def test_the_tail_of_chi_square_is_the_one_of_the_tables():
    for x, degrees, p in (
        (24.996, 15, 0.05),
        (12.592, 6, 0.05),
        (30.578, 15, 0.01),
        (16.812, 6, 0.01),
        (3.841, 1, 0.05),
    ):
        assert chi_square_tail(x, degrees) == pytest.approx(p, rel=2e-3)


def test_a_source_that_sticks_is_stopped_while_it_is_used():
    stuck = WatchedSource(lambda n: b"\x07" * n)
    assert stuck(4) == b"\x07" * 4
    for _ in range(2):
        with pytest.raises(Unavailable, match="repetition count"):
            stuck(1)
    uneven = WatchedSource(lambda n: bytes(i % 20 for i in range(n)))
    with pytest.raises(Unavailable, match="adaptive proportion"):
        uneven(1024)
    good = random.Random(2)
    assert len(WatchedSource(good.randbytes)(100_000)) == 100_000


@pytest.mark.parametrize("source", [bytes, same_block, raises])
def test_a_bad_source_is_the_failure_of_the_self_test(keyring, source):
    if source is raises:
        source = lambda n: b"\x07" * n  # noqa: E731
    report = self_test(keyring, dataclasses.replace(RIGHT, random=source))
    assert {check.chapter for check in report.checks if check.wrong} == {RANDOM}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_key_with_one_bit_changed_is_named(keyring, purpose):
    keyring.entry(purpose, 1).raw[3] ^= 16
    failed = self_test(keyring).failed
    assert failed.startswith(
        f"self-test integrity of keys: {purpose} version 1: its bytes do not have the check values"
    )


def test_a_machine_that_fails_does_nothing_and_says_why(keyring):
    machine = SoftwareMachine.of(keyring)
    tested = SelfTest(machine.refuse, dataclasses.replace(RIGHT, **BROKEN["SM3"]))
    tested.take_over(keyring)
    machine.take_over(keyring)
    token = "0" * 64 + ":0:" + load("tokens_n")["case"][0]["token"]
    for call in (
        lambda: machine.security_key_version,
        lambda: machine.derive_batch(Batch.pack([])),
        lambda: machine.derive_batch(Batch.pack([]), version=1),
        lambda: machine.rekey_batch(Batch.pack([]), old=1, new=1),
        lambda: machine.seal_validity(1),
        lambda: machine.check_token(token, 1, Window()),
        lambda: machine.seal_bound("0" * 64, 1, 1),
        lambda: machine.seal_compact(1, issuer=1, node=1, serial=1, issued_at=1_700_000_000, ttl=1),
        lambda: machine.check_compact("EHC2:", 1, 1),
        lambda: machine.open_compacts(["EHC2:"]),
        lambda: machine.mac(b""),
        lambda: machine.check_mac(b"", (1, b"")),
        lambda: machine.sign(b""),
        machine.verification_keys,
        lambda: machine.wrap(b"", b""),
        lambda: machine.unwrap(b"", b""),
    ):
        with pytest.raises(Unavailable, match="refuses work: self-test SM3"):
            call()


def test_keys_are_looked_at_again_when_the_keyring_changed(keyring):
    refused = []
    tested = SelfTest(refused.append)
    tested.take_over(keyring)
    assert refused == []
    keyring.entry(Purpose.MAC_KEY, 1).raw[0] ^= 1
    tested.take_over(keyring)
    assert "mac_key version 1" in refused[0]
    assert tested.report.failed == refused[0]


def test_a_machine_on_the_network_answers_with_the_code_of_a_failed_self_test(keyring):
    keys, answers = HostKeys(), bytearray(answer_room(100))
    keys.take_over(keyring)
    keys.refuse("a test")
    keys.take_over(keyring)
    frames = b"\x00\x143C200003abc;00000000\x00\x02NC"
    taken, written = keys().answer(frames, 0, len(frames), answers)
    assert taken == len(frames)
    assert bytes(answers[:written]) == b"\x00\x043D30\x00\x07ND00ehc"
