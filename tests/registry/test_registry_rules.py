"""Checking, life and versions of physical cards; no database."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from physical import card, number

from ehc.errors import Conflict, InputError
from ehc.registry import checking
from ehc.registry.card import CardState, canonical, digest_of
from ehc.registry.checking import CardColumns
from ehc.registry.life import LIFE, require_step
from ehc.registry.versions import stands


def columns(*rows: tuple[str, ...]) -> CardColumns:
    return CardColumns(*map(list, zip(*rows, strict=True)))


GOOD = ("44A001", "C001", "440100", "normal", "7", "440000")


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ("number", " 44a001 ", "44A001"),
        ("number", "9" * 32, "9" * 32),
        ("chip", "", ""),
        ("chip", " c1 ", "C1"),
        ("issuer", " 440100 ", "440100"),
        ("state", "挂失", CardState.LOST),
        ("state", "未发放", CardState.NOT_ISSUED),
        ("state", "制卡中", CardState.BEING_MADE),
        ("version", "0", 0),
        ("version", "9007199254740991", 2**53 - 1),
    ],
)
def test_what_has_one_meaning_is_brought_into_one_form(field: str, text: str, kept: object) -> None:
    row = (*GOOD[: (place := CardColumns._fields.index(field))], text, *GOOD[place + 1 :])
    checked, refused = checking.check(columns(GOOD, row))
    assert refused == []
    assert checked[place][1] == kept
    assert checking.checked(field, text) == kept


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("number", ""),
        ("number", "1" * 33),
        ("number", "44-1"),
        ("number", "４４Ａ"),
        ("chip", "x y"),
        ("issuer", ""),
        ("issuer", "-1"),
        ("state", "Normal"),
        ("state", "1"),
        ("version", "-1"),
        ("version", "1.0"),
        ("version", "9007199254740992"),
        ("version", "١"),
        ("source", "a b"),
    ],
)
def test_a_bad_field_is_named_without_what_was_in_it_and_touches_no_other_row(field: str, text: str) -> None:
    place = CardColumns._fields.index(field)
    row = (*GOOD[:place], text, *GOOD[place + 1 :])
    checked, refused = checking.check(columns(GOOD, row, GOOD))
    assert [(one.row, one.field) for one in refused] == [(1, field)]
    assert not text or f" {text} " not in f" {refused[0].reason} " or field == "version"
    assert [column[2] for column in checked] == [column[0] for column in checked]
    with pytest.raises(InputError, match=f"^{field}: "):
        checking.checked(field, text)


def test_every_step_that_the_table_does_not_have_is_a_conflict() -> None:
    for before, after in itertools.product(CardState, CardState):
        if after in LIFE[before]:
            require_step(before, after)
        else:
            with pytest.raises(Conflict, match=f"{before.word} cannot become {after.word}"):
                require_step(before, after)
    assert LIFE[CardState.CANCELLED] == frozenset()


VERSIONS = st.builds(
    card,
    st.just(1),
    state=st.sampled_from(CardState),
    version=st.integers(0, 3),
    source=st.sampled_from(["440100", "440000", "330000"]),
)


@given(one=VERSIONS, other=VERSIONS, third=VERSIONS)
@settings(max_examples=300)
def test_versions_have_an_order(one, other, third) -> None:
    assert stands(one, other) + stands(other, one) == (one != other)
    if stands(one, other) and stands(other, third):
        assert stands(one, third)


def test_cancelled_is_final_then_the_number_then_the_issuer_then_the_row() -> None:
    cancelled = card(1, CardState.CANCELLED, version=1)
    assert stands(cancelled, card(1, version=9))
    assert stands(card(1, version=10, source="330000"), card(1, version=9))
    own, others = card(1, version=3, source="440100"), card(1, CardState.LOST, version=3, source="999999")
    assert stands(own, others)
    low, high = (card(1, version=3, source=source) for source in ("330000", "330001"))
    assert stands(high, low)


def test_a_canonical_row_is_what_the_readme_says() -> None:
    assert canonical(card(1)).decode() == "44A000000001\tC0000001\t440100\t01\t" + "\t".join(card(1)[4:6]) + (
        "\tnormal\t1\t440100\n"
    )
    digest = digest_of([card(1), card(2)])
    assert (digest.cards, digest.last, len(digest.digest)) == (2, number(2), 32)
    assert digest_of([card(1), card(2, CardState.LOST)]).digest != digest.digest
    assert digest_of([]).last == ""


def test_no_repr_shows_a_person() -> None:
    for shown in (repr(card(1)), repr([card(1)])):
        assert card(1).name not in shown
        assert card(1).id_number not in shown
