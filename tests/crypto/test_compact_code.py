"""Compact codes (profile E2) and base45 against the vector, the reference and every flipped bit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import base45 as reference45
from reference import compact as reference
from vectors import load

from ehc.crypto import (
    CompactKey,
    base45_decode,
    base45_encode,
    check_compact,
    check_compact_batch,
    make_compact_code,
    open_compacts,
    parse_compact,
)
from ehc.crypto.compact import LIFETIMES, CompactCode
from ehc.errors import PayloadError
from ehc.model import Reason, seconds

VECTOR = load("tokens_e2")
RAW_KEY = bytes.fromhex(VECTOR["protection_key"])
KEY = CompactKey(RAW_KEY)
T = seconds(VECTOR["issued_at"])
FIELDS = {name: VECTOR[name] for name in ("account", "issuer", "node", "ttl", "serial")} | {"issued_at": T}
RAW = bytes.fromhex(VECTOR["header"] + VECTOR["alias"] + VECTOR["mac"])


def text_of(raw):
    return "EHC2:" + reference45.encode(raw)


def test_the_vector_is_made_and_accepted_by_us_and_by_the_reference():
    header = reference.header(440100, 1, 1, 2, 0, T, 0xA7)
    assert reference.alias_key(RAW_KEY).hex().upper() == VECTOR["alias_key"]
    assert reference.mac_key(RAW_KEY).hex().upper() == VECTOR["mac_key"]
    assert header.hex().upper() == VECTOR["header"]
    assert reference.alias(VECTOR["account"], T, RAW_KEY).hex().upper() == VECTOR["alias"]
    assert reference.seal(RAW[:32], RAW_KEY) == VECTOR["text"]
    assert make_compact_code(KEY, **FIELDS) == VECTOR["text"]
    verdict = check_compact(VECTOR["text"] + "\r\n", KEY, VECTOR["issued_at"])
    assert verdict.accepted
    assert verdict.step == 0
    assert verdict.code == CompactCode(440100, 1, 1, 2, 0, T, 0xA7, VECTOR["account"])
    assert verdict.code.expiry == T + 120


def test_every_flipped_bit_is_refused_at_its_step():
    for bit in range(384):
        flipped = (int.from_bytes(RAW, "big") ^ 1 << (383 - bit)).to_bytes(48, "big")
        verdict = check_compact(text_of(flipped), KEY, T)
        expected = Reason.GRAMMAR if bit < 8 else Reason.KEY_VERSION if 32 <= bit < 40 else Reason.FORGED
        assert verdict.reason is expected
        assert verdict.step == {Reason.GRAMMAR: 2, Reason.KEY_VERSION: 3, Reason.FORGED: 4}[expected]
        assert verdict.code is None or verdict.code.account is None


@pytest.mark.parametrize("ttl", range(8))
def test_a_code_lives_from_its_issue_for_its_lifetime_and_the_tolerance_at_either_end(ttl):
    code = make_compact_code(KEY, **FIELDS | {"ttl": ttl})
    end = T + (LIFETIMES[ttl] or 10**12)
    cases = {T - 60: Reason.ACCEPTED, T - 61: Reason.EARLY, end + 60: Reason.ACCEPTED}
    cases[end + 61] = Reason.EXPIRED if LIFETIMES[ttl] else Reason.ACCEPTED
    for now, reason in cases.items():
        verdict = check_compact(code, KEY, now)
        assert verdict.reason is reason
        assert verdict.code.account == FIELDS["account"]


@pytest.mark.parametrize("now", [-(2**63), 2**63 - 1])
def test_the_ends_of_the_clock(now):
    assert check_compact(VECTOR["text"], KEY, now).reason is (Reason.EARLY if now < 0 else Reason.EXPIRED)


def test_an_alias_of_another_day_or_with_a_tail_is_refused_though_its_mac_is_right():
    other_day = RAW[:16] + reference.alias(1, T + 86400, RAW_KEY)
    assert check_compact(reference.seal(other_day, RAW_KEY), KEY, T).reason is Reason.FORGED
    assert check_compact(reference.seal(RAW[:16] + bytes(16), RAW_KEY), KEY, T).reason is Reason.FORGED


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("", Reason.LENGTH, 0),
        (VECTOR["text"][:-1], Reason.LENGTH, 0),
        (VECTOR["text"] + "0", Reason.LENGTH, 0),
        (VECTOR["text"].replace("EHC2", "EHC3"), Reason.GRAMMAR, 0),
        (VECTOR["text"][:5] + "a" + VECTOR["text"][6:], Reason.CHARACTER, 5),
        (VECTOR["text"][:76] + "é"[0], Reason.LENGTH, 0),
        (VECTOR["text"][:76] + "\x7f", Reason.CHARACTER, 76),
        (VECTOR["text"][:8] + ":::" + VECTOR["text"][11:], Reason.GRAMMAR, 8),
        (text_of(b"\x31" + RAW[1:]), Reason.GRAMMAR, 5),
    ],
)
def test_steps_1_and_2_say_where(text, reason, offset):
    verdict = check_compact(text, KEY, T)
    assert (verdict.reason, verdict.offset) == (reason, offset)
    assert verdict.step == (1 if reason in (Reason.LENGTH, Reason.CHARACTER) else 2)
    with pytest.raises(PayloadError) as refused:
        parse_compact(text)
    assert refused.value.offset == offset


def test_the_key_is_chosen_by_the_version_that_the_code_names():
    second = CompactKey(bytes(16), 2)
    keys = {1: KEY, 2: second}
    code = make_compact_code(second, **FIELDS)
    assert check_compact(code, keys, T).accepted
    assert check_compact(VECTOR["text"], keys, T).accepted
    assert check_compact(code, {1: KEY}, T).reason is Reason.KEY_VERSION
    assert check_compact(code, CompactKey(RAW_KEY, 2), T).reason is Reason.FORGED
    with pytest.raises(ValueError, match="no key"):
        check_compact(code, {}, T)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 300])
def test_a_batch_says_of_each_row_what_the_single_check_says(n):
    texts = [make_compact_code(KEY, **FIELDS | {"serial": i, "account": i + 1, "ttl": i % 8}) for i in range(n)]
    texts = [text if i % 5 else text[: 70 + i % 9] for i, text in enumerate(texts)]
    batch = check_compact_batch(texts, KEY, T + 200)
    single = [check_compact(text, KEY, T + 200) for text in texts]
    assert batch.reasons == [verdict.reason for verdict in single]
    assert batch.accepted.tolist() == [verdict.accepted for verdict in single]
    assert batch.account.tolist() == [(verdict.code and verdict.code.account) or 0 for verdict in single]
    said = [(verdict.account, verdict.issued_at, verdict.expiry, verdict.serial_name) for verdict in single]
    assert open_compacts(texts, KEY) == [one if one[0] is not None else None for one in said]


@settings(max_examples=60)
@given(
    st.integers(0, 2**64 - 1), st.integers(0, 999_999), st.integers(0, 15), st.integers(0, 7), st.integers(0, 31),
    st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1),
)  # fmt: skip
def test_any_fields_come_back_and_the_text_is_the_references(account, issuer, node, ttl, channel, at, serial):  # noqa: PLR0917
    at += reference.EPOCH
    text = make_compact_code(
        KEY, account=account, issuer=issuer, node=node, ttl=ttl, channel=channel, issued_at=at, serial=serial
    )
    message = reference.header(issuer, node, 1, ttl, channel, at, serial) + reference.alias(account, at, RAW_KEY)
    assert text == reference.seal(message, RAW_KEY)
    assert check_compact(text, KEY, at).code == CompactCode(issuer, node, 1, ttl, channel, at, serial, account)


@pytest.mark.parametrize(
    "wrong",
    [{"account": 2**64}, {"issuer": 10**6}, {"node": 16}, {"ttl": 8}, {"channel": 32}, {"serial": 2**48},
     {"issued_at": reference.EPOCH - 1}, {"issued_at": reference.EPOCH + 2**32}],
)  # fmt: skip
def test_a_field_out_of_its_range_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_compact_code(KEY, **FIELDS | wrong)


@given(st.binary(max_size=200))
def test_base45_is_the_references_and_comes_back(data):
    text = base45_encode(data)
    assert text == reference45.encode(data)
    assert base45_decode(text) == data


@given(st.text(st.sampled_from(reference45.ALPHABET + "a,"), max_size=12))
def test_base45_takes_what_the_reference_takes_and_nothing_else(text):
    expected = reference45.decode(text)
    if expected is None:
        with pytest.raises(PayloadError):
            base45_decode(text)
    else:
        assert base45_decode(text) == expected


@pytest.mark.parametrize(
    ("text", "offset"), [("0", 0), ("0000", 0), ("GGW", 0), ("000GGW", 3), ("::", 0), ("V5", 0), ("00a", 2), ("0é", 1)]
)
def test_base45_says_where_a_text_stops_being_one(text, offset):
    with pytest.raises(PayloadError) as refused:
        base45_decode(text)
    assert refused.value.offset == offset


def test_the_examples_of_rfc_9285():
    assert base45_encode(b"AB") == "BB8"
    assert base45_encode(b"Hello!!") == "%69 VD92EX0"
    assert base45_encode(b"base-45") == "UJCLQE7W581"
    assert base45_decode("QED8WEX0") == b"ietf!"
    assert base45_decode("FGW") == b"\xff\xff"
