"""parse_payload against the domain's forms and, by hypothesis, the reference grammar: same answer, fields, offsets."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import payload as reference
from vectors import load

from ehc.crypto import check_batch, check_token, parse_payload
from ehc.errors import PayloadError

VECTORS = load("payloads")
CARD = VECTORS["payload"][0]["card_id"]
TOKEN = VECTORS["payload"][1]["token"]
FOUND = {
    "nothing": "nothing",
    "url": "a URL (网址)",
    "wechat": "a WeChat payment code (微信付款码)",
    "alipay": "an Alipay payment code (支付宝付款码)",
    "unionpay": "a UnionPay payment code (银联付款码)",
    "insurance": "an insurance code (医保电子凭证)",
    "resident id": "a resident id number (身份证号)",
    "other": "some other text",
}
WORDS = {"length": "1 to 256 bytes", "character": "character", "foreign": "this is", "grammar": "not CARDID"}


def outcome(text):
    """What parse_payload makes of it, in the reference's terms; any other exception is the test's failure."""
    try:
        found = parse_payload(text)
    except PayloadError as error:
        reason = next(reason for reason, word in WORDS.items() if word in str(error))
        return reference.Refusal(
            reason, next(kind for kind, name in FOUND.items() if name == error.found), error.offset
        )
    return reference.Parsed(found.card_id, found.flag, found.token, found.organisation, found.prefix)


def assert_agrees(text):
    assert outcome(text) == reference.parse(text)


@pytest.mark.parametrize("case", VECTORS["payload"], ids=lambda c: c["name"])
def test_every_form_of_the_field_is_parsed(case):
    found = parse_payload(case["text"])
    assert found == parse_payload(case["text"].encode())
    fields = {name: getattr(found, name) for name in ("card_id", "flag", "token", "organisation", "prefix")}
    assert {name: value for name, value in fields.items() if value is not None} == {
        name: value for name, value in case.items() if name in fields
    }
    assert found.conformant == ("flag" in case)
    assert found.dynamic == (case.get("flag") == 0)


@pytest.mark.parametrize("case", VECTORS["foreign"], ids=lambda c: c["text"])
def test_texts_of_other_systems_are_named(case):
    with pytest.raises(PayloadError) as refused:
        parse_payload(case["text"])
    assert refused.value.found == case["found"]
    assert case["found"] in str(refused.value)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda c: c["text"])
def test_refusals_say_where(case):
    with pytest.raises(PayloadError) as refused:
        parse_payload(case["text"])
    assert refused.value.offset == case["offset"]
    assert WORDS[case["reason"]] in str(refused.value)


@pytest.mark.parametrize("length", [*range(15, 35), 47, 48, 49, 63, 64, 65])
@pytest.mark.parametrize("tail", ["", ":0", ":1", ":9", f":0:{TOKEN}", "::", ":1:", ":1::", ":9:", f":9:{TOKEN}"])
def test_every_length_of_a_card_id(length, tail):
    assert_agrees((CARD + CARD)[:length].encode() + tail.encode())


@pytest.mark.parametrize("digits", range(10))
def test_a_prefix_has_one_to_eight_digits(digits):
    for tail in ("", ":1", f":0:{TOKEN}"):
        assert_agrees(b"85858585858"[:digits] + b":" + CARD.encode() + tail.encode())


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 150])
def test_an_organisation_has_one_to_64_characters(length):
    for head in (f"{CARD}:1:", f"{CARD}:0:{TOKEN}", f"85:{CARD}:1:"):
        assert_agrees(f"{head}:{'o' * length}".encode())


@pytest.mark.parametrize("length", [254, 255, 256, 257, 300, 65535, 65536, 65537, 200_000])
def test_a_payload_has_at_most_256_bytes(length):
    for text in (b"A" * length, b"1" * length, f"{CARD}:1::".encode().ljust(length, b"o"), b"x://".ljust(length, b"/")):
        assert_agrees(text)
        assert_agrees(text + b"\r\n")


@pytest.mark.parametrize("fields", range(12))
def test_fields_too_many(fields):
    for head in (CARD, f"85:{CARD}", f"{CARD}:0:{TOKEN}", f"{CARD}:1", f"{CARD}:9", f"85:{CARD}:0:{TOKEN}:ORG"):
        assert_agrees(head.encode() + b":" * fields)
        assert_agrees(head.encode() + b":1" * fields)


def test_every_byte_at_every_place_of_a_payload():
    for text in (f"85:{CARD}:0:{TOKEN}:ORG", f"{CARD}:1", f"{CARD}:9"):
        for at in range(len(text)):
            for byte in range(256):
                changed = bytearray(text.encode())
                changed[at] = byte
                assert_agrees(bytes(changed))


def test_every_prefix_of_a_payload():
    for text in (f"85:{CARD}:0:{TOKEN}:ORG", f"{CARD}:1::ORG"):
        for length in range(len(text)):
            assert_agrees(text[:length].encode())


@pytest.mark.parametrize("digits", range(15, 30))
@pytest.mark.parametrize("first", [0, 9, 10, 11, 15, 16, 24, 25, 28, 30, 31, 61, 62, 63, 99])
def test_every_number_that_may_be_a_payment_code(first, digits):
    assert_agrees(f"{first:02}".encode().ljust(digits, b"0"))
    assert_agrees(f"{first:02}".encode().ljust(digits, b"7") + b"X")


@pytest.mark.parametrize("date", ["19900101", "19901231", "19900132", "19900100", "19901301", "19900001", "19900231"])
def test_resident_ids_by_date_and_check_character(date):
    for check in "0123456789Xx":
        assert_agrees(f"110100{date}123{check}".encode())
        assert_agrees(f"11010A{date}123{check}".encode())


HEX = [CARD, CARD.lower(), CARD[:32], CARD[:48], CARD[:40], TOKEN, TOKEN.lower(), TOKEN[:31], "A" * 32, "G" * 32]
SHORT = [
    "",
    "0",
    "1",
    "2",
    "9",
    "00",
    "85",
    "12345678",
    "123456789",
    "ORG",
    "G",
    "\r",
    "\n",
    "\t",
    " ",
    "://",
    "é",
    "\0",
]
LONG = ["o" * 64, "o" * 65, "3" * 28, "11010020171225006X", "135555555555555555", "2800000000000000"]
PIECES = st.sampled_from(HEX + SHORT + LONG)


@settings(max_examples=1500)
@given(st.lists(PIECES, max_size=8), st.sampled_from(["", "\r", "\r\n", "\n\t", "\t\t\t", " "]))
@example([CARD, "9", "", ""], "")
def test_pieces_put_together(pieces, tail):
    assert_agrees((":".join(pieces) + tail).encode())


@pytest.mark.parametrize("flag", reference.FORMS)
def test_texts_made_from_the_grammar_are_accepted(flag):
    @settings(max_examples=150)
    @given(st.from_regex(reference.FORMS[flag], fullmatch=True))
    def holds(text):
        assert parse_payload(text).flag == flag
        assert_agrees(text.encode())

    holds()


@settings(max_examples=700)
@given(st.text(string.hexdigits + ":._-gG\r\n", max_size=300))
def test_texts_of_the_alphabet(text):
    assert_agrees(text.encode())


@settings(max_examples=700)
@given(st.binary(max_size=400))
def test_any_bytes_are_parsed_or_refused_by_a_payload_error(text):
    assert_agrees(text)


@settings(max_examples=300)
@given(st.text(st.characters(codec=None, categories=None), max_size=100))
@example("\ud800" + CARD)
def test_any_text_even_lone_surrogates_is_parsed_or_refused_by_a_payload_error(text):
    assert outcome(text) == reference.parse(text.encode("utf-8", "surrogatepass"))


def test_what_is_no_text_is_a_type_error():
    for wrong in (None, 5, 1.5, ["A"]):
        with pytest.raises((TypeError, AttributeError)):
            parse_payload(wrong)


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, type("Text", (bytes,), {})])
def test_a_payload_may_stand_in_any_buffer_of_bytes(make):
    text = make(f"{CARD}:1".encode())
    assert parse_payload(text).card_id == CARD
    assert check_token(text, bytes(16), 0) == check_batch([text], bytes(16), 0)[0]
    assert check_token(text, bytes(16), 0).payload == parse_payload(text)


@pytest.mark.parametrize("payload", [None, 5, ["01"], 1.5])
def test_what_is_neither_text_nor_bytes_is_refused_by_name(payload):
    name = type(payload).__name__
    calls = (parse_payload, lambda p: check_token(p, bytes(16), 0), lambda p: check_batch([p], bytes(16), 0))
    for call in calls:
        with pytest.raises(TypeError, match=name):
            call(payload)


@pytest.mark.parametrize("length", [255, 256, 257, 3000])
def test_a_url_is_called_one_whatever_its_length(length):
    with pytest.raises(PayloadError, match="URL"):
        parse_payload("https://example.invalid/".ljust(length, "a"))
