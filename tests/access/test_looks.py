import pytest

from ehc.access.looks import purpose_of
from ehc.errors import InputError


@pytest.mark.parametrize(
    ("text", "purpose"),
    [("complaint 4711", "complaint 4711"), ("%E6%8A%95%E8%AF%89", "投诉"), ("  ab ", "ab"), ("x" * 200, "x" * 200)],
)
def test_a_purpose_is_read(text: str, purpose: str) -> None:
    assert purpose_of(text) == purpose


@pytest.mark.parametrize("text", ["", " ", "a", "x" * 201, "%FF%FE", "a%0Ab", "ab\x00", "%E6%8A"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="X-Purpose"):
        purpose_of(text)
