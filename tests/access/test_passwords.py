"""Which passwords operators may have, and how one is kept."""

import pytest

from ehc.access.password import (
    COMMON,
    NOBODY,
    ONE_TIME_BYTES,
    SALT_BYTES,
    TOO_LONG,
    TOO_SHORT,
    hash_of,
    is_right,
    one_time_password,
    require_good,
)
from ehc.errors import InputError

SALT = bytes(range(SALT_BYTES))


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "晨光里的白鹭飞过湖面去了呀",
        "aaaaabcdefg tulpen rot",  # no rule which kinds of characters
        "7391 4406 8825 1307",
        "x" + "Qf7 " * 2 + "ümlaut ☂ 傘 🦢 ok",
        "vlotte giraffen dansen " * 5 + "twaalf keer",  # 126 characters
    ],
)
def test_a_password_of_one_s_own_is_taken(password: str) -> None:
    require_good(password, "li.na")


@pytest.mark.parametrize("password", ["", "elf signs!!", "晨光里的白鹭飞过湖面"])
def test_eleven_characters_are_too_few(password: str) -> None:
    with pytest.raises(InputError, match=TOO_SHORT):
        require_good(password)


def test_129_characters_are_too_many() -> None:
    long = "".join(chr(0x4E00 + 7 * i) for i in range(129))
    require_good(long[:128])
    with pytest.raises(InputError, match=TOO_LONG):
        require_good(long)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password2026!",
        "P@ssw0rd12345",
        "qwertyuiop123",
        "1q2w3e4r5t6y7u",
        "1qaz2wsx3edc",
        "123456789012",
        "000000000000",
        "abcabcabcabc",
        "administrator1",
        "changeme1234!",
        "iloveyou5201314",
        "woaini1314520",
        "Zhongguo@123456",
        "Hospital2026!!",
        "jiankangka888",
        "drowssapdrowssap",
        "LiNa.LiNa.2026",
        "19900101199001",
    ],
)
def test_what_is_made_of_what_everybody_tries_is_refused(password: str) -> None:
    with pytest.raises(InputError, match=r"tried first"):
        require_good(password, "lina.wang")
    assert "tried first" in COMMON


def test_the_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(InputError) as refused:
        require_good("Hospital2026!!")
    assert "Hospital" not in str(refused.value)


def test_a_password_is_kept_as_argon2id_under_its_own_salt() -> None:
    kept = hash_of("a heron over the lake 7", SALT)
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")  # OWASP's parameters
    assert "heron" not in kept
    assert kept != hash_of("a heron over the lake 7", SALT[::-1])
    assert is_right("a heron over the lake 7", kept)
    assert not is_right("a heron over the lake 8", kept)
    assert not is_right("", kept)


def test_all_of_a_long_password_counts() -> None:
    long = "晨光里的白鹭飞过湖面" * 12
    kept = hash_of(f"{long}a", SALT)
    assert is_right(f"{long}a", kept)
    assert not is_right(f"{long}b", kept)


def test_two_keyboards_that_compose_a_character_differently_give_one_password() -> None:
    assert is_right("u\u0308ber den See fliegt", hash_of("\u00fcber den See fliegt", SALT))


def test_nobody_s_password_costs_what_an_operator_s_costs() -> None:
    assert NOBODY.split("$")[1:4] == hash_of("x", SALT).split("$")[1:4]
    assert not is_right("", NOBODY)


def test_a_one_time_password_is_120_bits_and_good_enough() -> None:
    made = one_time_password(bytes(range(ONE_TIME_BYTES)))
    assert [len(part) for part in made.split("-")] == [6, 6, 6, 6]
    assert one_time_password(bytes(ONE_TIME_BYTES)) != made
    require_good(one_time_password(b"\x91\x02\xfa\x53\xc7" * 3))
