"""Passwords of operators: what is refused, and how one is kept (OWASP ASVS 4.0.3, V2.1 and V2.4).

12 to 128 characters, any of Unicode, and no rule which kinds of characters; what is refused is a password that people
are known to choose. Such a one is made of pieces: words, dates, runs of keys. What is left when all known pieces are
taken out is what an attacker has to guess, and of that there must be some.
"""

from __future__ import annotations

import base64
import re
import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ehc.access.password_pieces import PIECES, ROWS
from ehc.errors import InputError

SHORTEST, LONGEST = 12, 128  # characters
UNKNOWN_CHARACTERS = 5
"""So many at least belong to no known piece."""

SALT_BYTES = 16
ONE_TIME_BYTES = 15

TOO_SHORT = f"password: at least {SHORTEST} characters"
TOO_LONG = f"password: at most {LONGEST} characters"
COMMON = "password: it is made of words, dates or rows of keys that are tried first; a sentence of your own is better"

NOBODY = "$argon2id$v=19$m=47104,t=1,p=1$73T5AvmSquEQGY78ogFoeQ$6wvT/GQ/O/TWaJxPxE43KhG2Q3/ulyA9DvtCxOONNNU"
"""The hash of 32 random bytes that nobody has: checked where there is no operator, so that it takes as long."""

_SPELT = str.maketrans("@4301!5$7+", "aaeoiisstt")
_SAME = re.compile(r"(.)\1{2,}")
_DIGITS = re.compile(r"(?:19|20)\d\d(?:0?[1-9]|1[0-2])?(?:0?[1-9]|[12]\d|3[01])?")  # a year, a month, a day


def require_good(password: str, name: str = "") -> None:
    """name: the operator's. Raises InputError TOO_SHORT, TOO_LONG, COMMON."""
    text = _one_form(password)
    if len(text) < SHORTEST:
        raise InputError(TOO_SHORT)
    if len(text) > LONGEST:
        raise InputError(TOO_LONG)
    if strength(text, name) < UNKNOWN_CHARACTERS:
        raise InputError(COMMON)


def strength(password: str, name: str = "") -> int:
    """So many of its characters are left to be guessed: they belong to no known piece. name: the operator's."""
    pieces = PIECES | {part for part in re.split(r"[._-]", name) if len(part) > 2}
    return _unknown(_one_form(password)[:LONGEST].lower(), pieces)


def hash_of(password: str, salt: bytes) -> str:
    """PHC string, with OWASP's parameters for Argon2id: 46 MiB, one pass, one lane. salt: SALT_BYTES random bytes."""
    return _argon2id(salt).derive_phc_encoded(_one_form(password).encode("utf-8", "surrogatepass"))


def is_right(password: str, password_hash: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(_one_form(password).encode("utf-8", "surrogatepass"), password_hash)
    except InvalidKey:
        return False
    return True


def one_time_password(random: bytes) -> str:
    """ONE_TIME_BYTES random bytes as four groups of six letters and digits that are read aloud without mistakes."""
    text = base64.b32encode(random).decode("ascii").lower()
    return "-".join(text[i : i + 6] for i in range(0, len(text), 6))


def _argon2id(salt: bytes) -> Argon2id:
    return Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=47_104)


def _one_form(password: str) -> str:
    """Two keyboards that compose a character differently give one password."""
    return unicodedata.normalize("NFKC", password)


def _unknown(text: str, pieces: frozenset[str] | set[str]) -> int:
    """The least number of characters that are in no piece, however the text is cut; what repeats counts once."""
    spelt = text.translate(_SPELT)
    least = [0]
    for end in range(1, len(text) + 1):
        best = least[end - 1] + 1
        for start in range(max(0, end - 24), end - 2):
            if _is_piece(text[start:end], pieces) or _is_piece(spelt[start:end], pieces) or _again(text, start, end):
                best = min(best, least[start])
        least.append(best)
    return least[-1]


def _is_piece(part: str, pieces: frozenset[str] | set[str]) -> bool:
    known = part in pieces or part[::-1] in pieces or _SAME.fullmatch(part) or _DIGITS.fullmatch(part)
    return bool(known) or any(part in row for row in ROWS)


def _again(text: str, start: int, end: int) -> bool:
    """It stood there before."""
    return text.find(text[start:end], 0, start) >= 0
