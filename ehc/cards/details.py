"""What may be known of a person beside the document: checked field by field, never repeated in a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from ehc.cards.account import DETAILS
from ehc.errors import InputError

TEXT_CHARACTERS = 200
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{4,22}[0-9]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ETHNICITIES = {f"{code:02}" for code in (*range(1, 57), 97, 98)}


def is_date(text: str) -> bool:
    """YYYY-MM-DD, in the calendar."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_text(text: str) -> bool:
    return len(text) <= TEXT_CHARACTERS and not _UNSEEN.search(text)


_CHECKS: dict[str, tuple[Callable[[str], object], str]] = {
    "phone": (_PHONE.fullmatch, "6 to 25 digits, with spaces, dashes and a + in front as you like"),
    "sex": ({"0", "1", "2", "9"}.__contains__, "0, 1, 2 or 9 (GB/T 2261.1)"),
    "birth_date": (is_date, "YYYY-MM-DD"),
    "ethnicity": (_ETHNICITIES.__contains__, "two digits of GB 3304: 01 to 56, 97, 98"),
    "contact_phone": (_PHONE.fullmatch, "6 to 25 digits, with spaces, dashes and a + in front as you like"),
}
_TEXT = (_is_text, f"at most {TEXT_CHARACTERS} characters, none of them control characters")


def normalise_details(given: Mapping[str, str]) -> dict[str, str]:
    """Trimmed and checked; an empty one deletes what is known. Raises InputError that names the field."""
    details = {}
    for name, value in given.items():
        if name not in DETAILS:
            raise InputError(f"details: there are {', '.join(DETAILS)}")
        details[name] = text = value.strip()
        allowed, wanted = _CHECKS.get(name, _TEXT)
        if text and not allowed(text):
            raise InputError(f"{name}: {wanted}")
    return details


def phone_forms(phone: str) -> set[str]:
    """The ways in which this number may be written: as typed, in digits alone, and a mobile number in groups, each
    with and without +86. Raises InputError."""
    typed = normalise_details({"phone": phone})["phone"]
    digits = re.sub("[ -]", "", typed).removeprefix("+86")
    if not digits:
        raise InputError("phone: 6 to 25 digits")
    groups = (digits[:3], digits[3:7], digits[7:]) if len(digits) == 11 and digits[0] == "1" else (digits,)
    plain = {digits, " ".join(groups), "-".join(groups)}
    return {typed, *plain, *(f"+86{one}" for one in plain), *(f"+86 {one}" for one in plain)}
