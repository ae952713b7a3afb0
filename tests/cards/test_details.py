import pytest

from ehc.cards.account import DETAILS
from ehc.cards.details import normalise_details
from ehc.errors import InputError

GOOD = {
    "phone": "+86 571-1000 0000",
    "sex": "2",
    "birth_date": "2024-02-29",
    "ethnicity": "56",
    "address": "某省某市某街 1 号",
    "occupation": "教师",
    "contact_name": "测试",
    "contact_phone": "010-10000000",
}


def test_every_detail_is_kept_trimmed() -> None:
    assert set(GOOD) == set(DETAILS)
    assert normalise_details({name: f" {value}\u3000" for name, value in GOOD.items()}) == GOOD


def test_an_empty_one_stays_to_delete_what_is_known() -> None:
    assert normalise_details({"phone": " ", "sex": ""}) == {"phone": "", "sex": ""}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone", "call me"),
        ("phone", "1" * 40),
        ("sex", "男"),
        ("birth_date", "2023-02-29"),
        ("birth_date", "20230201"),
        ("birth_date", "2023-W05-3"),
        ("ethnicity", "057"),
        ("ethnicity", "汉"),
        ("address", "x" * 201),
        ("occupation", "a\x00b"),
        ("contact_phone", "4711"),
    ],
)
def test_a_refused_one_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(InputError) as refused:
        normalise_details({name: value})
    assert str(refused.value).startswith(f"{name}: ")
    assert value not in str(refused.value)


def test_an_unknown_one_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="there are phone, sex"):
        normalise_details({"shoe_size": "42"})
