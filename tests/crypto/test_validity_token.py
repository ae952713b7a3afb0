"""make_token, check_token and check_batch against the domain's vectors and the reference, at every boundary."""

import random
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import validity as reference
from reference.sm4 import ecb_decrypt, ecb_encrypt
from vectors import load

from ehc.crypto import KeyHandle, VerdictBatch, Window, check_batch, check_token, make_token
from ehc.errors import Refused
from ehc.model import Reason, Verdict

VECTORS = load("tokens_n")
KEY = bytes.fromhex(VECTORS["protection_key"])
CARD = load("identifiers")["case"][0]["card_id"]
CST = timezone(timedelta(hours=8))
T = int(datetime(2026, 1, 1, 8, 0, tzinfo=CST).timestamp())
YEAR_0, YEAR_9999 = -62_167_248_000, 253_402_271_999  # first and last second, China Standard Time


def code(time, key=KEY):
    return f"{CARD}:0:{make_token(time, key)}"


def block_code(plain, key=KEY):
    return f"{CARD}:0:{ecb_encrypt(key, plain).hex().upper()}"


def reason_at(time, now, window):
    verdict = check_token(code(time), KEY, now, window=window)
    assert verdict.payload is not None
    assert (verdict.expiry is not None) == (verdict.reason is not Reason.FORGED)
    return verdict.reason


@pytest.mark.parametrize("case", VECTORS["case"])
def test_the_domains_token_is_made_and_accepted(case):
    assert make_token(case["time"], KEY) == case["token"]
    assert make_token(case["time"], KeyHandle(KEY, "protection_key")) == case["token"]
    assert make_token(case["time"].replace(tzinfo=None), KEY) == case["token"], "a naive time is China Standard Time"
    assert make_token(case["time"].astimezone(UTC), KEY) == case["token"]
    verdict = check_token(f"{CARD}:0:{case['token']}", KEY, case["time"])
    assert verdict.accepted
    assert verdict.step == 0
    assert verdict.expires_at == case["time"]
    assert verdict.require() is verdict


@pytest.mark.parametrize("tolerance", [0, 1, 60, 3600])
def test_expiry_is_accepted_up_to_the_tolerance_and_not_a_second_longer(tolerance):
    window = Window(tolerance=tolerance)
    assert reason_at(T, T + tolerance, window) is Reason.ACCEPTED
    assert reason_at(T, T + tolerance + 1, window) is Reason.EXPIRED
    assert reason_at(T, T - 10**9, window) is Reason.ACCEPTED, "no bound ahead without a validity"


@pytest.mark.parametrize("tolerance", [0, 60])
@pytest.mark.parametrize("validity", [1, 300])
def test_expiry_further_ahead_than_the_validity_is_early(tolerance, validity):
    window = Window(tolerance=tolerance, validity=validity)
    assert reason_at(T, T - validity - tolerance, window) is Reason.ACCEPTED
    assert reason_at(T, T - validity - tolerance - 1, window) is Reason.EARLY
    assert reason_at(T, T + tolerance, window) is Reason.ACCEPTED
    assert reason_at(T, T + tolerance + 1, window) is Reason.EXPIRED


@pytest.mark.parametrize("tolerance", [0, 60])
@pytest.mark.parametrize("validity", [1, 300])
def test_a_time_of_issue_lives_for_the_validity(tolerance, validity):
    window = Window(tolerance=tolerance, validity=validity, time="issue")
    assert reason_at(T, T - tolerance, window) is Reason.ACCEPTED
    assert reason_at(T, T - tolerance - 1, window) is Reason.EARLY
    assert reason_at(T, T + validity + tolerance, window) is Reason.ACCEPTED
    assert reason_at(T, T + validity + tolerance + 1, window) is Reason.EXPIRED
    assert check_token(code(T), KEY, T, window=window).expiry == T + validity


@pytest.mark.parametrize("now", [-(2**63), -(2**62), 0, 2**62, 2**63 - 1])
def test_any_now_is_early_or_expired_or_accepted(now):
    for window in (Window(), Window(validity=300), Window(validity=300, time="issue")):
        expected = Reason.EXPIRED if now > T else Reason.ACCEPTED if window.validity is None else Reason.EARLY
        assert reason_at(T, now, window) is expected


@pytest.mark.parametrize(
    "window",
    [
        {"tolerance": -1},
        {"tolerance": 2**40},
        {"validity": 0},
        {"validity": -300},
        {"validity": 2**63},
        {"time": "issue"},
        {"time": "begin"},
    ],
)
def test_a_window_that_says_nothing_sensible_is_refused(window):
    with pytest.raises(ValueError, match=r"seconds|'expiry'"):
        Window(**window)


def test_a_token_for_the_first_second_of_1970_is_authentic_though_its_expiry_is_zero():
    assert check_token(code(0), KEY, 0).expiry == 0
    expired = check_token(code(0), KEY, 10**9)
    assert (expired.reason, expired.expiry) == (Reason.EXPIRED, 0)


def test_every_flipped_bit_of_a_block_is_forged():
    """SM4 turns one flipped bit into a random block: none of these 128 happens to be a proper one."""
    block = ecb_encrypt(KEY, reference.plain_block(T))
    for bit in range(128):
        flipped = (int.from_bytes(block, "big") ^ 1 << bit).to_bytes(16, "big")
        assert reference.read_block(ecb_decrypt(KEY, flipped)) is None
        assert check_token(f"{CARD}:0:{flipped.hex()}", KEY, T).reason is Reason.FORGED


def test_every_flipped_bit_of_the_plain_block_is_what_the_reference_says():
    plain = int.from_bytes(reference.plain_block(T), "big")
    accepted = 0
    for bit in range(128):
        flipped = (plain ^ 1 << bit).to_bytes(16, "big")
        verdict = check_token(block_code(flipped), KEY, T, window=Window(tolerance=0))
        time = reference.read_block(flipped)
        assert verdict.expiry == time
        assert (verdict.reason is Reason.FORGED) == (time is None)
        accepted += time is not None
    assert 0 < accepted < 56, "only digits of the time may change and still be a time"


@pytest.mark.parametrize("at", range(16))
def test_every_byte_value_at_every_place_of_the_plain_block(at):
    texts, plains = [], []
    for byte in range(256):
        plain = bytearray(reference.plain_block(T))
        plain[at] = byte
        plains.append(bytes(plain))
        texts.append(block_code(bytes(plain)))
    batch = check_batch(texts, KEY, T, window=Window(tolerance=0))
    assert [verdict.expiry for verdict in batch] == [reference.read_block(plain) for plain in plains]


@pytest.mark.parametrize("year", [0, 1, 4, 100, 400, 1600, 1899, 1900, 1970, 2000, 2023, 2024, 2026, 2100, 2400, 9999])
def test_every_day_of_the_calendar_and_no_other(year):
    """All months 0 to 19 and days 0 to 39 as digits; the reference asks datetime.date."""
    texts, expected = [], []
    for month in range(20):
        for day in range(40):
            plain = bytes.fromhex(f"{year:04}{month:02}{day:02}235959") + bytes(9)
            texts.append(block_code(plain))
            expected.append(reference.read_block(plain))
    assert [verdict.expiry for verdict in check_batch(texts, KEY, YEAR_0)] == expected
    assert sum(time is not None for time in expected) == (366 if expected[2 * 40 + 29] is not None else 365)


@pytest.mark.parametrize("digits", ["000000", "235959", "236000", "235960", "240000", "239900", "230099", "126060"])
def test_hours_minutes_and_seconds_have_their_ends(digits):
    plain = bytes.fromhex("20260101" + digits) + bytes(9)
    assert check_token(block_code(plain), KEY, YEAR_0).expiry == reference.read_block(plain)


def test_make_and_check_agree_with_the_reference_from_year_0_to_9999():
    draw = random.Random(11)
    days = [reference.day_number(year, 12, 31) for year in (0, 3, 4, 99, 100, 399, 400, 1999, 2000, 2023, 2024, 9998)]
    edges = [day * 86400 - reference.CST + second for day in days for second in (-1, 0, 86399, 86400)]
    for time in [YEAR_0, YEAR_9999, *edges, *(draw.randrange(YEAR_0, YEAR_9999 + 1) for _ in range(200))]:
        assert make_token(time, KEY) == reference.make_token(time, KEY)
        assert check_token(code(time), KEY, time).expiry == time


@pytest.mark.parametrize("time", [YEAR_0 - 1, YEAR_9999 + 1, -(2**63), 2**63 - 1])
def test_a_year_without_four_digits_has_no_token(time):
    assert not YEAR_0 <= time <= YEAR_9999
    with pytest.raises(ValueError, match="years 0 to 9999"):
        make_token(time, KEY)


def test_the_first_and_last_datetime_have_a_token():
    assert make_token(datetime(1, 1, 1), KEY) == reference.make_token(YEAR_0 + 366 * 86400, KEY)  # noqa: DTZ001
    assert make_token(datetime(9999, 12, 31, 23, 59, 59), KEY) == reference.make_token(YEAR_9999, KEY)  # noqa: DTZ001


def test_now_may_be_a_time_of_any_zone():
    for now in (datetime(2026, 1, 1, 8, 0), datetime(2026, 1, 1, tzinfo=UTC), datetime.fromtimestamp(T, CST), T):  # noqa: DTZ001
        assert check_token(code(T), KEY, now, window=Window(tolerance=0)).accepted
    one_late = datetime(2026, 1, 1, 8, 0, 1)  # noqa: DTZ001
    assert check_token(code(T), KEY, one_late, window=Window(tolerance=0)).reason is Reason.EXPIRED


@pytest.mark.parametrize("text", [f"{CARD}:1", CARD, f"{CARD}:9", f"{CARD}:1::ORG"])
def test_a_code_without_token_is_told_so_and_keeps_its_payload(text):
    verdict = check_token(text, KEY, T)
    assert (verdict.reason, verdict.step, verdict.expiry) == (Reason.NO_TOKEN, 4, None)
    assert verdict.payload.card_id == CARD


@pytest.mark.parametrize("case", load("payloads")["refused"], ids=lambda c: c["text"])
def test_a_refused_text_is_a_verdict_with_reason_and_offset(case):
    verdict = check_token(case["text"], KEY, T)
    assert (verdict.reason, verdict.offset, verdict.payload) == (case["reason"], case["offset"], None)
    assert verdict.step in (1, 2)
    with pytest.raises(Refused):
        verdict.require()


def test_a_token_of_another_key_is_forged_and_its_time_not_told():
    verdict = check_token(code(T, bytes(16)), KEY, T)
    assert (verdict.reason, verdict.step, verdict.expiry) == (Reason.FORGED, 4, None)
    assert not verdict


@pytest.mark.parametrize("key", [b"", KEY[:15], KEY + b"\0"])
def test_a_key_of_another_length_is_refused(key):
    for call in (lambda: check_token(code(T), key, T), lambda: make_token(T, key), lambda: check_batch([], key, T)):
        with pytest.raises(ValueError, match=f"a key has 16 bytes, not {len(key)}"):
            call()


def mixed(n):
    draw = random.Random(n)
    kinds = [code(T), code(T - 1000), code(T, bytes(16)), f"{CARD}:1", "", "x://", "é", f"{CARD}:0", code(T) + "\r\n"]
    return [draw.choice(kinds) for _ in range(n)]


@pytest.mark.parametrize("n", sorted({0, 1, 2, *(g + d for g in (8, 16, 32, 64, 128) for d in (-1, 0, 1)), 200}))
def test_a_batch_says_of_each_row_what_the_single_call_says(n):
    texts = mixed(n)
    batch = check_batch(iter(texts), KEY, T)
    alone = [check_token(text, KEY, T) for text in texts]
    assert isinstance(batch, VerdictBatch)
    assert len(batch) == n
    assert list(batch) == alone
    assert batch[:] == alone
    assert batch.accepted.tolist() == [verdict.accepted for verdict in alone]
    assert batch.expiry.tolist() == [verdict.expiry or 0 for verdict in alone]
    assert (batch.accepted.dtype, batch.expiry.dtype) == (np.bool_, np.int64)


def test_a_batch_is_a_sequence():
    texts = mixed(10)
    batch = check_batch([text.encode() for text in texts], KeyHandle(KEY), datetime.fromtimestamp(T, CST))
    assert batch[-1] == batch[9] == check_token(texts[9], KEY, T)
    assert batch[2:8:3] == [batch[2], batch[5]]
    assert batch[0] in batch
    for outside in (10, -11):
        with pytest.raises(IndexError):
            batch[outside]


@pytest.mark.parametrize("at", [0, 1, 63, 64, 65, 99])
def test_one_refused_payload_touches_no_other(at):
    for bad in ("", "é" * 200, code(T, bytes(16)), "A" * 100_000):
        texts = [code(T + i) for i in range(100)]
        texts[at] = bad
        batch = check_batch(texts, KEY, T)
        assert [i for i, verdict in enumerate(batch) if not verdict] == [at]
        assert [verdict.expiry for verdict in batch] == [None if i == at else T + i for i in range(100)]


@settings(max_examples=400)
@given(
    time=st.integers(YEAR_0, YEAR_9999) | st.integers(T - 500, T + 500),
    now=st.integers(T - 500, T + 500),
    tolerance=st.integers(0, 100),
    validity=st.none() | st.integers(1, 400),
    issue=st.booleans(),
)
def test_any_window_agrees_with_the_reference(time, now, tolerance, validity, issue):
    issue = issue and validity is not None
    window = Window(tolerance, validity, "issue" if issue else "expiry")
    expected = reference.check_token(code(time).encode(), KEY, reference.Window(now, tolerance, validity, issue))
    verdict = check_token(code(time), KEY, now, window=window)
    assert (verdict.reason, verdict.expiry) == (expected.reason, expected.expiry)
    assert list(check_batch([code(time)], KEY, now, window=window)) == [verdict]


@settings(max_examples=200)
@given(st.binary(min_size=16, max_size=16))
def test_any_block_agrees_with_the_reference(plain):
    verdict = check_token(block_code(plain), KEY, YEAR_0)
    assert verdict.expiry == reference.read_block(plain)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_get_a_verdict(text):
    assert isinstance(check_token(text, KEY, T), Verdict)
    assert list(check_batch([text, code(T), text], KEY, T))[1].accepted
