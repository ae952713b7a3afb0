"""A record: what one source says about one person. A person is what several records are about.

Fields are texts, empty where nothing is known. A record of a source is known by its own number there (`local_id`),
which is an identifier of the source's domain like any other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Set
from datetime import date
from functools import lru_cache

import msgspec

from ehc.crypto import sm3
from ehc.errors import InputError
from ehc.index.domain import BIRTH, DOCUMENT_DOMAINS, MINDEX, Domains, plain_value, sound_value

FIELDS = ("name", "sex", "birth_date", "phone", "address", "mother", "birth_order")
LENGTHS = {"name": 100, "address": 200, "mother": 100}
STRONG_FIELDS = ("name", "sex", "birth_date")
_DOCUMENTS = {code: kind for kind, code in DOCUMENT_DOMAINS.items()}


class Identifier(msgspec.Struct, frozen=True, array_like=True):
    """sound: the rule of its domain holds. until: the second from which it is a former one (曾用); None: it is good."""

    domain: str
    value: str
    sound: bool = True
    until: int | None = None

    def __repr__(self) -> str:
        return f"<Identifier of {self.domain}>"


class Record(msgspec.Struct, frozen=True, array_like=True):
    """repr shows whose it is, never what it says."""

    source: str
    local_id: str
    name: str = ""  # 姓名, NFC
    sex: str = ""  # GB/T 2261.1: 1 男, 2 女; empty for 0 and 9
    birth_date: str = ""  # YYYY-MM-DD
    phone: str = ""  # digits
    address: str = ""
    mother: str = ""  # 母亲姓名
    birth_order: str = ""  # 出生次序, 1 to 9
    identifiers: tuple[Identifier, ...] = ()

    def __repr__(self) -> str:
        return f"<Record of {self.source}>"

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.local_id

    def current(self) -> Iterable[Identifier]:
        return (one for one in self.identifiers if one.until is None)


encode = msgspec.msgpack.Encoder().encode
"""The bytes that a record is kept as."""
decode = msgspec.msgpack.Decoder(Record).decode


def new_record(
    domains: Domains,
    source: str,
    local_id: str,
    fields: Mapping[str, str],
    identifiers: Iterable[tuple[str, str]] = (),
    *,
    mother_document: str = "",
) -> Record:
    """A record in the one form that is compared and kept. mother_document: of a newborn, as in MOTHER_DOCUMENT.

    Raises InputError that names the field, NotFound for a domain that is not registered.
    """
    texts = [fields.get(name, "") for name in FIELDS]
    return record_of_texts(domains, source, local_id, texts, identifiers, mother_document=mother_document)


def record_of_texts(
    domains: Domains,
    source: str,
    local_id: str,
    texts: Iterable[str],
    identifiers: Iterable[tuple[str, str]] = (),
    *,
    mother_document: str = "",
) -> Record:
    """As new_record. texts: in the order of FIELDS."""
    name, sex, birth_date, phone, address, mother, order = texts
    name, sex, birth_date = name and _name(name), sex and _sex(sex), birth_date and _birth_date(birth_date)
    phone, address = phone and _phone(phone), address and _text("address", address)
    mother, order = mother and _text("mother", mother), order and _birth_order(order)
    domains.get(source)
    number = plain_value(source, local_id)
    found = {(source, number): Identifier(source, number)}
    documents = [(source, number)] if source in _DOCUMENTS else []
    for code, text in identifiers:
        if text:
            value, sound = sound_value(domains.get(code), text)
            found[code, value] = Identifier(code, value, sound)
            if sound and code in _DOCUMENTS:
                documents.append((code, value))
    if mother_document and birth_date and order:
        value = f"{plain_value(BIRTH, mother_document)}/{birth_date}/{order}"
        found[BIRTH, value] = Identifier(BIRTH, value)
    if name:
        for code, value in documents:
            mindex = mindex_of(code, value, name)
            found[MINDEX, mindex] = Identifier(MINDEX, mindex)
    return Record(source, number, name, sex, birth_date, phone, address, mother, order, tuple(found.values()))


def mindex_of(code: str, value: str, name: str) -> str:
    """主索引ID: SM3 over id_type ‖ id_number ‖ name, upper-case hex (domain.md, identifiers)."""
    return sm3(f"{_DOCUMENTS[code]}{value}{name}".encode()).hex().upper()


def changed(old: Record, new: Record, now: int) -> Record:
    """The newer of two versions of a record: identifiers that it no longer has stay, as former ones."""
    has = {(one.domain, one.value) for one in new.identifiers}
    former = [one for one in old.identifiers if (one.domain, one.value) not in has]
    ended = tuple(one if one.until is not None else msgspec.structs.replace(one, until=now) for one in former)
    return msgspec.structs.replace(new, identifiers=new.identifiers + ended)


def strong_changes(old: Record, new: Record, domains: Domains) -> list[str]:
    """Names of strong fields, and domains of strong identifiers, that the newer version says otherwise."""
    fields = [name for name in STRONG_FIELDS if _differ(getattr(old, name), getattr(new, name))]
    return fields + contradictions(old, new, domains)


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def single_values(record: Record, domains: Domains) -> dict[str, set[str]]:
    """Sound numbers that are good, of domains in which a person has one for life."""
    values: dict[str, set[str]] = {}
    for one in record.identifiers:
        if one.domain in domains.single and one.sound and one.until is None:
            values.setdefault(one.domain, set()).add(one.value)
    return values


def contradictions(one: Record, other: Record, domains: Domains) -> list[str]:
    """Domains in which a person has one number for life, and these two have different ones."""
    return disjoint(single_values(one, domains), single_values(other, domains))


def disjoint(one: Mapping[str, Set[str]], other: Mapping[str, Set[str]]) -> list[str]:
    """Domains in which both have numbers, and none is the other's."""
    return [code for code, values in one.items() if code in other and values.isdisjoint(other[code])]


# --- the one form of each field


def _name(text: str) -> str:
    """A private-use character, which an old system has for a rare one, is kept (names.py)."""
    return _text("name", text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text))


def _sex(text: str) -> str:
    if text not in _SEXES:
        raise InputError("sex: 0, 1, 2 or 9 (GB/T 2261.1)")
    return _SEXES[text]


_SEXES = {"0": "", "1": "1", "2": "2", "9": ""}


@lru_cache(1 << 16)
def _birth_date(text: str) -> str:
    try:
        if len(text) == 10:
            told = date.fromisoformat(text)
            return text if text[4] == text[7] == "-" else told.isoformat()
        digits = text.replace("-", "")
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        raise InputError("birth_date: YYYY-MM-DD") from None


def _phone(text: str) -> str:
    if len(text) == 11 and text.isascii() and text.isdigit():
        return text
    digits = re.sub(r"[\s()+-]", "", text).removeprefix("0086")
    digits = digits.removeprefix("86") if len(digits) == 13 else digits
    if not re.fullmatch(r"[0-9]{5,15}", digits):
        raise InputError("phone: 5 to 15 digits")
    return digits


def _text(field: str, text: str) -> str:
    if text.isalnum() and len(text) <= LENGTHS[field]:  # most: no space, nothing that cannot be seen
        return text
    told = " ".join(text.split())
    if len(told) > LENGTHS[field] or (not told.isprintable() and any(map(_is_control, told))):
        raise InputError(f"{field}: at most {LENGTHS[field]} characters, none of them a control character")
    return told


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def _birth_order(text: str) -> str:
    if not re.fullmatch("[1-9]", text):
        raise InputError("birth_order: 1 to 9")
    return text
