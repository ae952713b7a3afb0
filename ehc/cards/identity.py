"""Who a person is to the card system: id_type, id_number and name in the one form that is hashed (native/README.md).

The name is inside the hash, so a trailing space or another interpunct gives another card. `normalise` therefore brings
what has exactly one meaning into one form, and refuses what could mean two things. △ marks our own choice.

    id_type    trimmed; full-width digits (０１) become ASCII; one of 01..08, 99
    id_number  trimmed; full-width forms (Ａ１－（）) become ASCII △; upper case; letters, digits and - / ( )
               01: 18 characters with the check character of GB 11643-1999 and a date of birth that the calendar has;
               the 15-digit form is upgraded (century 19), except order codes 996 to 999: those were kept for people
               already a hundred years old, so their century is uncertain △
    name       trimmed; NFC; look-alike middle dots become U+00B7 △; 1 to 50 characters △ with at least one letter
               refused: private-use, control, invisible and unassigned code points, U+FFFD and "?" (what a lossy
               conversion leaves behind), and any space inside but a single U+0020 △

id_type ‖ id_number has at most 32 bytes: more is refused, never cut. How it is filled up before it is encrypted is the
setting `padding` △ (KeyService.derive_batch): "full" to 32 bytes; "minimal" to the next block, which gives documents of
14 characters or fewer a card id of 32 digits, the first half of the full one.

`native/derive/columns.c` passes rows that are in this form already; it must never pass one that is changed or refused
here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from operator import mul

from ehc.crypto import Batch, is_plain_resident_id
from ehc.errors import IdentityError
from ehc.model import Identity, IdType

ID_BYTES = 32  # of id_type ‖ id_number
NAME_CHARACTERS = 50
INTERPUNCT = "\u00b7"
LOOK_ALIKES = "\u0387\u2022\u2027\u2219\u22c5\u2e31\u30fb\uff65"
"""Middle dots that input methods and code pages write for U+00B7."""

_SPACES = " \t\r\n\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_ASCII_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_INTERPUNCTS = dict.fromkeys(map(ord, LOOK_ALIKES), INTERPUNCT)
_NUMBER = re.compile(r"[A-Z0-9()/-]*")
_KINDS = {  # Unicode general category -> what the refusal says
    "Cc": "a control character",
    "Cf": "an invisible character",
    "Cn": "not an assigned character",
    "Co": "a private-use character; write the character that Unicode has for it",
    "Cs": "half of a surrogate pair",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "a space; only single U+0020 may stand inside a name",
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_OF_ZEROS = sum(_WEIGHTS) * ord("0")


def normalise(id_type: str, id_number: str, name: str) -> Identity:
    """The one form of a person's document. Raises IdentityError that names the field and the reason, never the value.

    Characters are counted from 1 in the text as given. Normalising twice changes nothing.
    """
    kind = normalise_id_type(id_type)
    return Identity(kind, normalise_id_number(kind, id_number), normalise_name(name))


def encode(identities: Iterable[Identity]) -> Batch:
    """The exact bytes that are hashed and encrypted, packed for KeyService.derive_batch."""
    return Batch.pack((one.id_type, one.id_number, one.name) for one in identities)


def normalise_id_type(text: str) -> str:
    """证件类型: two digits of model.IdType."""
    kind = text.strip(_SPACES).translate(_ASCII_FORMS)
    if not kind:
        raise IdentityError("id_type", "empty")
    if kind not in IdType.__members__.values():
        hint = "; write two digits (a spreadsheet may have removed a zero)" if len(kind) == 1 else ""
        raise IdentityError("id_type", f"not one of {', '.join(IdType)}{hint}")
    return str(kind)


def normalise_id_number(kind: str, text: str) -> str:
    """证件号码 of a document of this type: ASCII, upper case, at most 30 characters."""
    if kind == IdType.RESIDENT_ID and is_plain_resident_id(text):
        return text
    number = text.strip(_SPACES).translate(_ASCII_FORMS)
    if not number:
        raise IdentityError("id_number", "empty")
    _require_ascii(text, number)
    number = number.upper()  # of ASCII only: elsewhere upper() invents letters
    allowed = _NUMBER.match(number)
    if allowed and allowed.end() < len(number):
        where = _place(text, number[allowed.end() :], allowed.end())
        raise IdentityError("id_number", f"{where} is neither a letter, a digit nor one of - / ( )")
    if kind == IdType.RESIDENT_ID:
        return _resident_id(number)
    if len(kind) + len(number) > ID_BYTES:
        raise IdentityError(
            "id_number", f"id_type and id_number have {len(kind) + len(number)} bytes, over {ID_BYTES}; it is never cut"
        )
    if not any(character.isalnum() for character in number):
        raise IdentityError("id_number", "neither a letter nor a digit in it")
    return number


def _require_ascii(text: str, number: str) -> None:
    if not number.isascii():
        strange = next(i for i, character in enumerate(number) if not character.isascii())
        where = _place(text, number[strange], strange)
        raise IdentityError("id_number", f"{where} is not ASCII, nor the full-width form of an ASCII character")


def _place(text: str, found: str, index: int) -> str:
    """Code point and position, counted in the untrimmed text."""
    return f"U+{ord(found[0]):04X} at character {index + 1 + len(text) - len(text.lstrip(_SPACES))}"


def check_character(digits: str) -> str:
    """GB 11643-1999 (ISO 7064 MOD 11-2): the 18th character after 17 digits."""
    return "10X98765432"[(sum(map(mul, digits.encode("ascii"), _WEIGHTS)) - _OF_ZEROS) % 11]


def _resident_id(number: str) -> str:
    if len(number) == 15 and number.isdigit():
        number = _upgraded(number)
    if len(number) != 18:
        raise IdentityError(
            "id_number", f"a resident id has 18 characters (15 digits in the old form), not {len(number)}"
        )
    if not number[:17].isdigit() or number[17] not in "0123456789X":
        raise IdentityError("id_number", "a resident id has 17 digits and then a digit or X")
    if number[0] == "0":
        raise IdentityError("id_number", "no region of a resident id begins with 0")
    if not _is_date(number[6:14]):
        raise IdentityError("id_number", "characters 7 to 14 are no date of birth")
    if check_character(number[:17]) != number[17]:
        raise IdentityError("id_number", "wrong check character (GB 11643): a digit is mistyped")
    return number


def _upgraded(number: str) -> str:
    """The 18 characters of a 15-digit resident id: century inserted, check character appended."""
    if number[12:] in ("996", "997", "998", "999"):
        raise IdentityError(
            "id_number", "15 digits with an order code of people born before 1900: give the number of 18 characters"
        )
    digits = f"{number[:6]}19{number[6:]}"
    return digits + check_character(digits)


def _is_date(digits: str) -> bool:
    """YYYYMMDD of the years 1800 to 2099."""
    try:
        return 1800 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year <= 2099
    except ValueError:
        return False


def normalise_name(text: str) -> str:
    """姓名: NFC, one interpunct, 1 to 50 characters."""
    stripped = text.strip(_SPACES)
    if not stripped:
        raise IdentityError("name", "empty")
    for i, character in enumerate(stripped):
        reason = _refusal(character, stripped[i - 1])  # the first has none before it, and is no space
        if reason:
            raise IdentityError("name", f"{_place(text, character, i)} is {reason}")
    name = unicodedata.normalize("NFC", stripped).translate(_INTERPUNCTS)
    if len(name) > NAME_CHARACTERS:
        raise IdentityError("name", f"{len(name)} characters, over {NAME_CHARACTERS}")
    if not any(character.isalpha() or _is_ideographic_plane(ord(character)) for character in name):
        raise IdentityError("name", "no letter in it")
    return name


def _refusal(character: str, before: str) -> str | None:
    """Why this character stands in no name; None when it may."""
    if character == " ":
        return "a second space in a row" if before == " " else None
    if character in "?\uff1f\ufffd":
        return "what a lossy conversion leaves for a character it does not know"
    if _is_variation_selector(ord(character)):
        return "an invisible character"
    kind = unicodedata.category(character)
    if kind == "Cn" and _is_ideographic_plane(ord(character)):
        return None  # a newer Unicode than this Python's has encoded it, or will
    return _KINDS.get(kind)


def _is_variation_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F


def _is_ideographic_plane(code: int) -> bool:
    """Planes 2 and 3 hold nothing but ideographs, apart from their last two code points, which are no characters."""
    return 0x20000 <= code <= 0x3FFFF and code & 0xFFFE != 0xFFFE
