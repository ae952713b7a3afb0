"""The grammar of a QR text, steps 1 and 2 of verification, as regular expressions; offsets by walking the fields."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# [PREFIX ':'] CARD [':' FLAG [':' [TOKEN] [':' ORGANISATION]]]  (CR | LF | TAB)*

PREFIX = r"(?:(?P<prefix>[0-9]{1,8}):)?"
CARD = r"(?P<card>(?:[0-9A-Fa-f]{16}){2,4})"
ORGANISATION = r"(?P<organisation>[0-9A-Za-z._-]{1,64})"
FORMS = {
    None: PREFIX + CARD,
    1: f"{PREFIX}{CARD}:1(?:::{ORGANISATION})?",
    0: f"{PREFIX}{CARD}:0:(?P<token>[0-9A-Fa-f]{{32}})(?::{ORGANISATION})?",
    9: PREFIX + r"(?P<card>[0-9A-Fa-f]{64}):9",
}


class Parsed(NamedTuple):
    card_id: str  # upper case
    flag: int | None
    token: str | None  # upper case
    organisation: str | None
    prefix: str | None


class Refusal(NamedTuple):
    reason: str
    kind: str
    offset: int


def parse(text: bytes) -> Parsed | Refusal:
    body = text.rstrip(b"\r\n\t")
    if not 1 <= len(body) <= 256:
        url = b"://" in body[:256]
        return Refusal("foreign" if url else "length", "url" if url else "other" if body else "nothing", 0)
    characters = body.decode("latin-1")
    for flag, form in FORMS.items():
        found = re.fullmatch(form, characters, re.ASCII)
        if found:
            fields = found.groupdict()
            token = fields.get("token")
            return Parsed(
                fields["card"].upper(), flag, token and token.upper(), fields.get("organisation"), fields["prefix"]
            )
    return refusal(characters)


def refusal(text: str) -> Refusal:
    strange = re.search(r"[^0-9A-Za-z._:-]", text)
    reason, offset = ("character", strange.start()) if strange else ("grammar", end_of_sense(text))
    kind = foreign_kind(text)
    return Refusal(reason if kind == "other" else "foreign", kind, offset)


def end_of_sense(text: str) -> int:
    return next(wrong_places(text))


def wrong_places(text: str) -> Iterator[int]:
    """Where a text of the right alphabet stops being a payload: a wrong character of a hex field, the begin of a field
    of another length or value, the colon of a field too many, or the end when fields are missing."""
    fields = [(found.start(), found.group()) for found in re.finditer(r"(?:^|(?<=:))[^:]*", text)]
    if len(fields) > 1 and re.fullmatch("[0-9]{1,8}", fields[0][1]):
        fields.pop(0)
    (begin, card), *rest = fields
    yield from wrong_hex(begin, card, (32, 48, 64))
    (begin, flag), *behind = rest
    if flag not in ("0", "1", "9") or (flag == "9" and len(card) != 64):
        yield begin
    most = 0 if flag == "9" else 2
    if len(behind) > most:
        yield behind[most][0] - 1
    if (flag, len(behind)) in (("0", 0), ("1", 1)):
        yield len(text)
    yield from wrong_hex(*behind[0], (32,) if flag == "0" else (0,))
    yield behind[1][0]


def wrong_hex(begin: int, field: str, lengths: tuple[int, ...]) -> Iterator[int]:
    if len(field) not in lengths:
        yield begin
    yield from (begin + found.start() for found in re.finditer("[^0-9A-Fa-f]", field))


def foreign_kind(text: str) -> str:
    if "://" in text:
        return "url"
    if is_resident_id(text):
        return "resident id"
    for kind, form in {
        "insurance": r"[0-9]{28}",
        "wechat": r"1[0-5][0-9]{16}",
        "alipay": r"(2[5-9]|30)[0-9]{14,22}",
        "unionpay": r"62[0-9]{17}",
    }.items():
        if re.fullmatch(form, text, re.ASCII):
            return kind
    return "other"


def is_resident_id(text: str) -> bool:
    """GB 11643: date of birth at its place, weights 2^(17-i) mod 11, check character."""
    if not re.fullmatch(r"[0-9]{10}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]", text, re.ASCII):
        return False
    total = sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(text[:17]))
    return (total + (10 if text[17] in "Xx" else int(text[17]))) % 11 == 1
