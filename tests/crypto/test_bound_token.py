"""Card-bound tokens (profile A) against the vector and the reference."""

import pytest
from reference import bound as reference
from reference.sm4 import ecb_encrypt
from vectors import load

from ehc.crypto import KeyHandle, Profiles, Window, check_batch, check_token, make_bound_token, make_token
from ehc.model import BoundToken, Reason, seconds

VECTOR = load("tokens_a")
KEY = bytes.fromhex(VECTOR["protection_key"])
CARD = VECTOR["card_id"]
T = seconds(VECTOR["time"])
BOTH = Profiles.NATIONAL | Profiles.BOUND
FIELDS = reference.Bound(T, 1, 3, 5, 0xABCDEF)


def code(token, card=CARD):
    return f"{card}:0:{token}"


def block_code(plain):
    return code(ecb_encrypt(reference.card_key(bytes.fromhex(CARD), KEY), plain).hex())


def test_the_vector_is_made_and_accepted_by_us_and_by_the_reference():
    card = bytes.fromhex(CARD)
    assert make_bound_token(CARD, VECTOR["time"], KEY, sequence=0xA7) == VECTOR["token"]
    assert reference.card_key(card, KEY).hex().upper() == VECTOR["card_key"]
    assert reference.block(reference.Bound(T, 1, 0, 0, 0xA7)).hex().upper() == VECTOR["plain"]
    assert reference.make_token(card, reference.Bound(T, 1, 0, 0, 0xA7), KEY) == VECTOR["token"]
    verdict = check_token(code(VECTOR["token"]), KEY, T, profiles=BOTH)
    assert verdict.accepted
    assert verdict.bound == BoundToken(T, 1, 0, 0, 0xA7)
    assert verdict.payload.card_id == CARD


def test_a_policy_that_accepts_national_tokens_only_refuses_it_and_the_other_way_round():
    assert check_token(code(VECTOR["token"]), KEY, T).reason is Reason.FORGED
    national = code(make_token(T, KEY))
    assert check_token(national, KEY, T, profiles=Profiles.BOUND).reason is Reason.FORGED
    assert check_token(national, KEY, T, profiles=BOTH).bound is None


def test_another_card_refuses_it():
    assert check_token(code(VECTOR["token"], CARD[:-1] + "9"), KEY, T, profiles=BOTH).reason is Reason.FORGED
    assert check_token(code(VECTOR["token"], CARD[:32]), KEY, T, profiles=BOTH).reason is Reason.FORGED


def test_it_must_name_the_version_of_the_key():
    token = make_bound_token(CARD, T, KEY, sequence=1, key_version=7)
    refused = check_token(code(token), KEY, T, profiles=BOTH)
    assert (refused.reason, refused.step) == (Reason.KEY_VERSION, 3)
    handle = KeyHandle(KEY, "protection_key", 7)
    assert check_token(code(token), handle, T, profiles=BOTH).accepted
    assert make_bound_token(CARD, T, handle, sequence=1) == token


@pytest.mark.parametrize("window", [Window(60, 300), Window(60, 300, "issue")])
def test_its_expiry_is_judged_whatever_a_national_tokens_time_means(window):
    token = code(make_bound_token(CARD, T, KEY, sequence=1))
    cases = {T + 60: Reason.ACCEPTED, T + 61: Reason.EXPIRED, T - 360: Reason.ACCEPTED, T - 361: Reason.EARLY}
    for now, reason in cases.items():
        assert check_token(token, KEY, now, window=window, profiles=BOTH).reason is reason


def test_every_bit_and_byte_of_the_plain_block_is_what_the_reference_says():
    plain = reference.block(FIELDS)
    plains = [(int.from_bytes(plain, "big") ^ 1 << bit).to_bytes(16, "big") for bit in range(128)]
    plains += [plain[:at] + bytes([byte]) + plain[at + 1 :] for at in range(16) for byte in (0, 9, 10, 0x60, 0x9A, 255)]
    batch = check_batch([block_code(p) for p in plains], KEY, T, profiles=BOTH)
    expected = [reference.read_plain(p) for p in plains]
    assert [v.bound and tuple(v.__getattribute__("_fields_of_bound")) for v in batch] == expected
    assert batch.expiry.tolist() == [found.expiry if found else 0 for found in expected]
    assert 0 < sum(found is not None for found in expected) < len(plains)


def test_a_batch_says_of_each_row_what_the_single_check_says():
    texts = []
    for i in range(200):
        card = f"{i:064X}"
        token = make_bound_token(
            card, T + i, KEY, sequence=i, channel=i % 16, scene=i % 7, key_version=1 + (i % 5 == 0)
        )
        texts += [code(token, card), code(make_token(T, KEY), card), code(token, CARD), f"{card}:1"][: 1 + i % 4]
    batch = check_batch(texts, KEY, T, window=Window(60, 100), profiles=BOTH)
    single = [check_token(text, KEY, T, window=Window(60, 100), profiles=BOTH) for text in texts]
    assert list(batch) == single
    assert batch.accepted.tolist() == [verdict.accepted for verdict in single]
    assert {v.reason for v in single} == {
        Reason.ACCEPTED,
        Reason.EARLY,
        Reason.FORGED,
        Reason.NO_TOKEN,
        Reason.KEY_VERSION,
    }


@pytest.mark.parametrize(
    "wrong", [{"sequence": 1 << 24}, {"sequence": -1}, {"channel": 16}, {"scene": 16}, {"key_version": 256}]
)
def test_a_field_out_of_its_range_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_bound_token(CARD, T, KEY, **{"sequence": 0, **wrong})


def test_a_short_card_id_or_a_year_of_five_digits_is_refused():
    with pytest.raises(ValueError, match="64 hex digits"):
        make_bound_token(CARD[:32], T, KEY, sequence=0)
    with pytest.raises(ValueError, match="years 0 to 9999"):
        make_bound_token(CARD, 2**40, KEY, sequence=0)
