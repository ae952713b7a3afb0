import pytest

from ehc.codes.payload import dynamic_payload, static_payload, temporary_payload
from ehc.crypto import parse_payload
from ehc.errors import InputError
from ehc.model import Flag, Payload

CARD, TOKEN = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928", "92FD69141DFE1553A42251E2B0196148"


def test_the_forms_of_the_domain() -> None:
    assert static_payload(CARD) == f"{CARD}:1"
    assert dynamic_payload(CARD, TOKEN) == f"{CARD}:0:{TOKEN}"
    assert static_payload(CARD, organisation="510000.A-1") == f"{CARD}:1::510000.A-1"
    assert static_payload(CARD, prefix="85") == f"85:{CARD}:1"
    assert dynamic_payload(CARD, TOKEN, organisation="ORG", prefix="85") == f"85:{CARD}:0:{TOKEN}:ORG"


def test_what_we_compose_is_upper_case_and_comes_back() -> None:
    text = dynamic_payload(CARD.lower(), TOKEN.lower(), organisation="org", prefix="1")
    assert text == text.upper()
    assert parse_payload(text) == Payload(CARD, Flag.DYNAMIC, TOKEN, "ORG", "1")


@pytest.mark.parametrize("length", [32, 48])
def test_short_and_legacy_card_ids(length: int) -> None:
    assert static_payload(CARD[:length]) == f"{CARD[:length]}:1"


@pytest.mark.parametrize(
    "parts",
    [
        {"card_id": CARD[:-1]},
        {"card_id": ""},
        {"card_id": CARD, "organisation": "a b"},
        {"card_id": CARD, "organisation": "a:b"},
        {"card_id": CARD, "organisation": "a\n"},
        {"card_id": CARD, "organisation": "x" * 65},
        {"card_id": CARD, "prefix": "123456789"},
        {"card_id": CARD, "prefix": "x"},
        {"card_id": f"{CARD}:1::ORG"},
    ],
)
def test_parts_that_make_no_payload_are_refused(parts: dict[str, str]) -> None:
    with pytest.raises(InputError):
        static_payload(**parts)


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + ":ORG", TOKEN + "\n"])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(InputError):
        dynamic_payload(CARD, token)


def test_an_organisation_outside_alphanumeric_mode_is_refused() -> None:
    with pytest.raises(InputError, match="'_' is outside QR alphanumeric mode"):
        static_payload(CARD, organisation="a_b")


def test_a_temporary_card_s_payload_says_so() -> None:
    assert temporary_payload(CARD.lower()) == f"{CARD}:9"
    assert parse_payload(f"{CARD}:9").flag is Flag.TEMPORARY
