import pytest

from ehc.web.clocks import drift


@pytest.mark.parametrize(
    ("client_time", "said"),
    [
        (None, None),
        ("1000", None),
        ("1010", None),
        ("989.6", None),
        ("1011", "+11"),
        ("989", "-11"),
        ("1767225600", "+1767224600"),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("9" * 5000, None),
    ],
)
def test_a_clock_that_is_off_is_told_by_how_much(client_time: str | None, said: str | None) -> None:
    assert drift(client_time, lambda: 1000) == said
