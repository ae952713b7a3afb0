"""The one form of an identity: what is brought into it, what is refused, and that no refusal repeats the value."""

import itertools
import random
import unicodedata

import pytest
from cards.invented import people, resident_id, with_check
from hypothesis import given
from hypothesis import strategies as st

from ehc.cards.identity import LOOK_ALIKES, check_character, encode, normalise
from ehc.errors import IdentityError
from ehc.model import Identity

SAMPLE = ("01", "11010020171225006X", "电子健康卡")


def test_sample_person_is_canonical_already():
    assert normalise(*SAMPLE) == Identity(*SAMPLE)


def test_invented_people_are_canonical_already():
    for person in people(200):
        assert normalise(*person) == Identity(*person)


@pytest.mark.parametrize(
    ("given", "field", "canonical"),
    [
        ((" 01\t", SAMPLE[1], SAMPLE[2]), "id_type", "01"),
        (("０１", SAMPLE[1], SAMPLE[2]), "id_type", "01"),
        (("01", " 11010020171225006x\u3000", SAMPLE[2]), "id_number", SAMPLE[1]),
        (("01", "１１０１００２０１７１２２５００６Ｘ", SAMPLE[2]), "id_number", SAMPLE[1]),
        (("01", "999999000101001", SAMPLE[2]), "id_number", with_check("99999919000101001")),
        (("06", "h12345678（9）", SAMPLE[2]), "id_number", "H12345678(9)"),
        (("99", "a-1/2", SAMPLE[2]), "id_number", "A-1/2"),
        (("01", SAMPLE[1], "\u3000 电子健康卡\u00a0\r\n"), "name", "电子健康卡"),
        (("01", SAMPLE[1], "Ame\u0301lie Test"), "name", "Am\u00e9lie Test"),
        (("01", SAMPLE[1], "测试\uf900"), "name", "测试\u8c48"),  # a compatibility ideograph has a canonical one
        (("01", SAMPLE[1], "测试\U00031350"), "name", "测试\U00031350"),  # in no Unicode before 15: may be a real name
    ],
)
def test_what_has_one_meaning_gets_one_form(given, field, canonical):
    assert getattr(normalise(*given), field) == canonical


@pytest.mark.parametrize("dot", LOOK_ALIKES + "·")
def test_every_middle_dot_becomes_the_one_interpunct(dot):
    assert normalise("01", SAMPLE[1], f"测{dot}试").name == "测·试"


def test_the_one_interpunct_and_its_look_alikes_are_those_of_the_field():
    assert set("•‧・･∙⋅") <= set(LOOK_ALIKES)


REFUSED = [
    (("", *SAMPLE[1:]), "id_type", "empty"),
    (("1", *SAMPLE[1:]), "id_type", "two digits"),
    (("09", *SAMPLE[1:]), "id_type", "not one of 01"),
    (("身份证", *SAMPLE[1:]), "id_type", "not one of 01"),
    (("01", "  ", SAMPLE[2]), "id_number", "empty"),
    (("01", "110100201712250067", SAMPLE[2]), "id_number", "wrong check character"),
    (("01", "11010020171225006", SAMPLE[2]), "id_number", "not 17"),
    (("01", "11010020171225006XX", SAMPLE[2]), "id_number", "not 19"),
    (("01", "1101002017122500AX", SAMPLE[2]), "id_number", "17 digits and then a digit or X"),
    (("01", "11010020171225006A", SAMPLE[2]), "id_number", "17 digits and then a digit or X"),
    (("01", "01010020171225006X", SAMPLE[2]), "id_number", "begins with 0"),
    (("01", "11010020170229006X", SAMPLE[2]), "id_number", "no date of birth"),
    (("01", "11010020171325006X", SAMPLE[2]), "id_number", "no date of birth"),
    (("01", "11010017991225006X", SAMPLE[2]), "id_number", "no date of birth"),
    (("01", "11010021001225006X", SAMPLE[2]), "id_number", "no date of birth"),
    (("01", "999999000101997", SAMPLE[2]), "id_number", "before 1900"),
    (("01", "999999000230001", SAMPLE[2]), "id_number", "no date of birth"),
    (("03", "E0000\u00000", SAMPLE[2]), "id_number", "U+0000 at character 6"),
    (("03", " E 1", SAMPLE[2]), "id_number", "U+0020 at character 3"),
    (("03", "E1_2", SAMPLE[2]), "id_number", "U+005F at character 3"),
    (("03", "E\u01311", SAMPLE[2]), "id_number", "U+0131 at character 2"),  # upper() would make an I of it
    (("03", "\u00df1", SAMPLE[2]), "id_number", "U+00DF at character 1"),  # upper() would make SS of it
    (("04", "军字1", SAMPLE[2]), "id_number", "U+519B at character 1"),
    (("03", "\u0661\u0662", SAMPLE[2]), "id_number", "U+0661 at character 1"),  # a digit, but not of ASCII
    (("03", "-/()", SAMPLE[2]), "id_number", "neither a letter nor a digit"),
    (("99", "A" * 31, SAMPLE[2]), "id_number", "33 bytes, over 32"),
    ((*SAMPLE[:2], "\u3000"), "name", "empty"),
    ((*SAMPLE[:2], "测\ue000"), "name", "U+E000 at character 2 is a private-use"),
    ((*SAMPLE[:2], " 测\U000f0000"), "name", "U+F0000 at character 3 is a private-use"),
    ((*SAMPLE[:2], "测\u0000试"), "name", "U+0000 at character 2 is a control"),
    ((*SAMPLE[:2], "测\n试"), "name", "U+000A at character 2 is a control"),
    ((*SAMPLE[:2], "测\x85"), "name", "U+0085 at character 2 is a control"),
    ((*SAMPLE[:2], "\ufeff测试"), "name", "U+FEFF at character 1 is an invisible"),
    ((*SAMPLE[:2], "测\u200b试"), "name", "U+200B at character 2 is an invisible"),
    ((*SAMPLE[:2], "测\ufe00试"), "name", "U+FE00 at character 2 is an invisible"),
    ((*SAMPLE[:2], "测\U000e0100试"), "name", "U+E0100 at character 2 is an invisible"),
    ((*SAMPLE[:2], "测\ud800"), "name", "U+D800 at character 2 is half of a surrogate"),
    ((*SAMPLE[:2], "测\u0378"), "name", "U+0378 at character 2 is not an assigned"),
    ((*SAMPLE[:2], "测\U0002ffff"), "name", "U+2FFFF at character 2 is not an assigned"),
    ((*SAMPLE[:2], "测\u2028试"), "name", "U+2028 at character 2 is a line separator"),
    ((*SAMPLE[:2], "测\u2029试"), "name", "U+2029 at character 2 is a paragraph separator"),
    ((*SAMPLE[:2], "测\u3000试"), "name", "U+3000 at character 2 is a space"),
    ((*SAMPLE[:2], "TEST  PERSON"), "name", "U+0020 at character 6 is a second space"),
    ((*SAMPLE[:2], "测?"), "name", "U+003F at character 2 is what a lossy conversion"),
    ((*SAMPLE[:2], "测\ufffd"), "name", "U+FFFD at character 2 is what a lossy conversion"),
    ((*SAMPLE[:2], "测" * 51), "name", "51 characters, over 50"),
    ((*SAMPLE[:2], "··"), "name", "no letter"),
    ((*SAMPLE[:2], "123"), "name", "no letter"),
]


@pytest.mark.parametrize(("given", "field", "reason"), REFUSED)
def test_refusal_names_field_and_reason_and_never_the_value(given, field, reason):
    with pytest.raises(IdentityError) as caught:
        normalise(*given)
    assert caught.value.field == field
    assert reason in caught.value.reason
    for value in given:
        assert len(value.strip()) < 3 or value.strip() not in str(caught.value)


def test_an_id_of_32_bytes_and_a_name_of_50_characters_are_the_largest_accepted():
    identity = normalise("99", "A" * 30, "测" * 50)
    assert (len(identity.id_type + identity.id_number), len(identity.name)) == (32, 50)


def test_leap_days_exist_only_in_leap_years():
    assert normalise("01", with_check("99999920000229001"), "测试").id_number[6:14] == "20000229"
    with pytest.raises(IdentityError, match="no date of birth"):
        normalise("01", with_check("99999919000229001"), "测试")


def test_check_character_matches_the_standards_own_formula():
    source = random.Random(11643)
    seen = set()
    for _ in range(300):
        number = resident_id(source)
        assert check_character(number[:17]) == number[17]
        seen.add(number[17])
    assert seen == set("0123456789X")


def test_changing_one_digit_or_swapping_two_neighbours_is_always_noticed():
    number = "11010020171225006X"
    wrong = {number[:i] + digit + number[i + 1 :] for i in range(17) for digit in "0123456789"} - {number}
    wrong |= {number[:i] + number[i + 1] + number[i] + number[i + 2 :] for i in range(16)} - {number}
    for candidate in wrong:
        with pytest.raises(IdentityError):
            normalise("01", candidate, "测试")


def _is_refused(number):
    try:
        return normalise("01", number, "测试").id_number != number.strip()
    except IdentityError:
        return True


def test_the_compiled_look_at_a_resident_id_and_the_explaining_one_agree():
    """A space in front leaves it to the latter."""
    source = random.Random(643)
    parts = (
        (17, 18, 19, 20, 21),
        ("00", "99"),
        ("00", "01", "02", "12", "13"),
        ("00", "01", "28", "29", "30", "31", "32"),
    )
    dates = ["".join(map(str, date)) for date in itertools.product(*parts)]
    bodies = [f"{source.randrange(10)}10100{date}{source.randrange(1000):03}" for date in dates]
    numbers = [with_check(body) for body in bodies] + [body + source.choice("0123456789Xx") for body in bodies]
    numbers += [number[:9] + "A" + number[10:] for number in numbers[:20]] + [number[:-1] for number in numbers[:5]]
    refused = [_is_refused(number) for number in numbers]
    assert [_is_refused(f" {number}") for number in numbers] == refused
    assert 20 < sum(refused) < len(numbers) - 20


def test_encode_packs_exactly_the_bytes_that_are_hashed():
    batch = encode([Identity(*SAMPLE), Identity("03", "E00000000", "TEST PERSON")])
    rows = [batch.data[a:b].tobytes() for a, b in zip(batch.offsets, batch.offsets[1:], strict=False)]
    assert rows == ["0111010020171225006X电子健康卡".encode(), b"03E00000000TEST PERSON"]
    assert batch.id_lengths.tolist() == [20, 11]


texts = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("０９Ａｚ（） \u3000\u00a0\t·•・0aZ-/()\u0301\u212b\uf900测试X"),
    ),
    max_size=8,
)


@given(kind=st.sampled_from(["01", "02", "03", "99", " ０3"]), number=texts, name=texts)
def test_normalising_twice_changes_nothing_and_the_result_is_clean(kind, number, name):
    try:
        once = normalise(kind, number, name)
    except IdentityError:
        return
    assert normalise(once.id_type, once.id_number, once.name) == once
    assert once.id_number.isascii()
    assert once.id_number == once.id_number.upper()
    assert once.name == unicodedata.normalize("NFC", once.name.strip())
    assert not {unicodedata.category(character) for character in once.name} & {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
